// A loadable under construction: values become cubes, nodes become operations.
#pragma once

#include <cstring>
#include <set>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "dla/compile/compile.h"

namespace dlaexec::dla {

class Builder {
 public:
  Builder(const ir::Graph& graph, Generation generation);

  const ir::Graph& graph() const { return graph_; }
  Generation generation() const { return loadable_.generation; }

  /// The cube that holds @p value, made when first asked for. Throws an Error for a value that no
  /// cube can hold.
  CubeId cube_of(ir::ValueId value);
  const Cube& cube(CubeId id) const { return loadable_.cube(id); }
  /// A cube between two operations of one layer.
  CubeId add_cube(std::string name, const Nchw& dims, ir::DataType type, float scale);
  /// The channels [first, first + dims.c) of @p whole as a cube of their own.
  CubeId add_part(std::string name, CubeId whole, int64_t first, const Nchw& dims);
  /// Lets @p value lie in the channels from @p first on of @p whole, where its producer then writes
  /// it.
  void place_inside(ir::ValueId value, CubeId whole, int64_t first);
  bool is_inside(CubeId part, CubeId whole, int64_t first) const {
    return inside_.contains({part, whole, first});
  }
  /// From now on @p value lies in @p cube.
  void bind(ir::ValueId value, CubeId cube) { cubes_[value] = cube; }
  bool is_bound(ir::ValueId value) const { return cubes_.contains(value); }

  /// An operation of another node does what @p node asks: it is not lowered.
  void absorb(const ir::Node& node) { absorbed_.insert(&node); }
  bool is_absorbed(const ir::Node& node) const { return absorbed_.contains(&node); }

  /// Puts constants into the blob.
  template <class T>
  BlobSpan add_constants(std::span<const T> constants) {
    const auto bytes = std::as_bytes(constants);
    blob_.resize((blob_.size() + 63) / 64 * 64);
    const BlobSpan span{static_cast<int64_t>(blob_.size()), static_cast<int64_t>(bytes.size())};
    blob_.insert(blob_.end(), bytes.begin(), bytes.end());
    return span;
  }

  /// Appends an operation of @p node from @p input to @p output.
  template <class Parameters>
  Operation& add(const ir::Node& node, ir::DataType precision, CubeId input, CubeId output,
                 Parameters parameters) {
    Operation& operation = loadable_.operations.emplace_back();
    operation.name = node.name;
    operation.origins = node.origins;
    operation.precision = precision;
    operation.input = input;
    operation.output = output;
    operation.parameters = std::move(parameters);
    return operation;
  }

  /// Binds inputs to cubes (and converts linear ones); before the nodes.
  void bind_inputs();
  /// Binds outputs and converts linear ones; after the nodes.
  void bind_outputs();
  /// The loadable, without places in memory.
  Loadable finish() &&;

 private:
  Cube describe(ir::ValueId id) const;
  ir::Format input_format(ir::ValueId id) const;
  bool suits_hwc4(ir::ValueId id) const;
  ir::Node edge_node(const char* what, ir::ValueId id) const;
  CubeId append(Cube cube);

  const ir::Graph& graph_;
  Loadable loadable_;
  std::vector<std::byte> blob_;
  std::unordered_map<ir::ValueId, CubeId> cubes_;
  std::set<std::tuple<CubeId, CubeId, int64_t>>
      inside_;                          ///< a part and the concat's output that it lies in
  std::set<const ir::Node*> absorbed_;  ///< asked for membership only
};

}  // namespace dlaexec::dla
