#include "onnx/mutation.h"

#include <algorithm>
#include <limits>

#include "dlaexec_onnx.pb.h"

namespace dlaexec::test {
namespace {

using onnx_file::AttributeProto;
using onnx_file::GraphProto;
using onnx_file::NodeProto;
using onnx_file::TensorProto;

class Damage {
 public:
  explicit Damage(std::mt19937& random) : random_(random) {}

  void apply(GraphProto& graph) {
    switch (below(10)) {
      case 0:
      case 1:
      case 2:
        return damage_node(graph);
      case 3:
      case 4:
      case 5:
        return damage_attribute(graph);
      case 6:
      case 7:
        return damage_tensor(graph);
      case 8:
        return damage_edge(graph);
      default:
        return damage_order(graph);
    }
  }

 private:
  size_t below(size_t limit) { return limit == 0 ? 0 : random_() % limit; }
  template <class List>
  int one_of(const List& list) {
    return static_cast<int>(below(static_cast<size_t>(list.size())));
  }

  int64_t strange_number() {
    constexpr int64_t kNumbers[] = {0,
                                    1,
                                    -1,
                                    2,
                                    3,
                                    7,
                                    -7,
                                    64,
                                    1000,
                                    int64_t{1} << 31,
                                    -(int64_t{1} << 31),
                                    int64_t{1} << 40,
                                    int64_t{1} << 61,
                                    int64_t{1} << 62,
                                    INT64_MAX,
                                    INT64_MIN};
    return kNumbers[below(std::size(kNumbers))];
  }

  float strange_real() {
    constexpr float kNumbers[] = {0,
                                  -1,
                                  1e30f,
                                  -1e-30f,
                                  std::numeric_limits<float>::quiet_NaN(),
                                  std::numeric_limits<float>::infinity()};
    return kNumbers[below(std::size(kNumbers))];
  }

  int strange_type() { return static_cast<int>(below(24)); }

  /// Some value's name, of those that nodes make or the graph has.
  std::string some_name(const GraphProto& graph) {
    if (below(8) == 0 || graph.node_size() == 0) return below(2) == 0 ? "" : "nobody";
    const NodeProto& node = graph.node(one_of(graph.node()));
    if (node.output_size() > 0 && below(2) == 0) return node.output(one_of(node.output()));
    return node.input_size() > 0 ? node.input(one_of(node.input())) : "nobody";
  }

  void damage_node(GraphProto& graph) {
    if (graph.node_size() == 0) return;
    NodeProto& node = *graph.mutable_node(one_of(graph.node()));
    switch (below(7)) {
      case 0:
        if (node.input_size() > 0) node.set_input(one_of(node.input()), some_name(graph));
        return;
      case 1:
        return node.add_input(some_name(graph));
      case 2:
        if (node.input_size() > 0) node.mutable_input()->RemoveLast();
        return;
      case 3:
        if (node.output_size() > 0) node.set_output(one_of(node.output()), some_name(graph));
        return;
      case 4:
        return node.add_output("more");
      case 5:
        return node.set_op_type(graph.node(one_of(graph.node())).op_type());
      default:
        if (node.input_size() > 1) node.mutable_input()->SwapElements(0, node.input_size() - 1);
    }
  }

  void damage_attribute(GraphProto& graph) {
    if (graph.node_size() == 0) return;
    NodeProto& node = *graph.mutable_node(one_of(graph.node()));
    if (node.attribute_size() == 0) return damage_node(graph);
    AttributeProto& attribute = *node.mutable_attribute(one_of(node.attribute()));
    if (attribute.has_g() && below(4) != 0) return apply(*attribute.mutable_g());
    if (attribute.has_t() && below(4) != 0) return damage(*attribute.mutable_t());
    switch (below(6)) {
      case 0:
        return attribute.set_type(static_cast<AttributeProto::AttributeType>(below(12)));
      case 1:
        return attribute.set_name(node.attribute(one_of(node.attribute())).name() + "s");
      case 2:
        if (attribute.ints_size() == 0) return attribute.add_ints(strange_number());
        return attribute.mutable_ints()->RemoveLast();
      default:
        attribute.set_i(strange_number());
        attribute.set_f(strange_real());
        if (attribute.ints_size() > 0)
          attribute.set_ints(one_of(attribute.ints()), strange_number());
        if (attribute.floats_size() > 0)
          attribute.set_floats(one_of(attribute.floats()), strange_real());
        if (attribute.has_s()) attribute.set_s(below(2) == 0 ? "" : "strange");
    }
  }

  void damage(TensorProto& tensor) {
    switch (below(6)) {
      case 0:
        return tensor.set_data_type(strange_type());
      case 1:
        return tensor.add_dims(strange_number());
      case 2:
        if (tensor.dims_size() > 0) tensor.set_dims(one_of(tensor.dims()), strange_number());
        return;
      case 3:
        if (tensor.dims_size() > 0) tensor.mutable_dims()->RemoveLast();
        return;
      case 4:
        if (tensor.has_raw_data())
          tensor.mutable_raw_data()->resize(below(tensor.raw_data().size() + 9));
        if (tensor.int64_data_size() > 0)
          tensor.set_int64_data(one_of(tensor.int64_data()), strange_number());
        return;
      default:
        if (tensor.raw_data().size() >= 8) {  // a number of a shape, perhaps
          const int64_t number = strange_number();
          tensor.mutable_raw_data()->replace(0, 8, reinterpret_cast<const char*>(&number), 8);
        }
    }
  }

  void damage_tensor(GraphProto& graph) {
    if (graph.initializer_size() == 0) return damage_attribute(graph);
    damage(*graph.mutable_initializer(one_of(graph.initializer())));
  }

  void damage_edge(GraphProto& graph) {
    auto& edges = below(3) == 0 ? *graph.mutable_output() : *graph.mutable_input();
    if (edges.empty()) return damage_node(graph);
    auto& edge = *edges.Mutable(one_of(edges));
    if (below(6) == 0) return edge.set_name(some_name(graph));
    auto& type = *edge.mutable_type()->mutable_tensor_type();
    auto& dims = *type.mutable_shape()->mutable_dim();
    switch (below(5)) {
      case 0:
        return type.set_elem_type(strange_type());
      case 1:
        return dims.Add()->set_dim_value(strange_number());
      case 2:
        if (!dims.empty()) dims.RemoveLast();
        return;
      case 3:
        if (!dims.empty()) dims.Mutable(one_of(dims))->set_dim_param("N");
        return;
      default:
        if (!dims.empty()) dims.Mutable(one_of(dims))->set_dim_value(strange_number());
    }
  }

  void damage_order(GraphProto& graph) {
    if (graph.node_size() == 0) return;
    const int at = one_of(graph.node());
    switch (below(3)) {
      case 0:
        return graph.mutable_node()->SwapElements(0, at);
      case 1:
        graph.mutable_node()->DeleteSubrange(at, 1);
        return;
      default:
        *graph.add_node() = graph.node(at);
    }
  }

  std::mt19937& random_;
};

}  // namespace

std::string with_damaged_bytes(std::string file, std::mt19937& random) {
  const auto below = [&](size_t limit) { return limit == 0 ? 0 : random() % limit; };
  const size_t changes = 1 + below(3);
  for (size_t i = 0; i < changes && !file.empty(); ++i) {
    const size_t at = below(file.size());
    const size_t run = 1 + below(std::min<size_t>(8, file.size() - at));
    switch (below(6)) {
      case 0:
        file[at] = static_cast<char>(random());
        break;
      case 1:
        file[at] = static_cast<char>(file[at] ^ (1 << below(8)));
        break;
      case 2:
        file.erase(at, run);
        break;
      case 3:
        file.insert(at, file.substr(at, run));
        break;
      case 4:  // the numbers that make sizes overflow
        std::fill_n(file.begin() + static_cast<long>(at), run, static_cast<char>(0xff));
        break;
      default:
        file.resize(at);
    }
  }
  return file;
}

std::string with_damaged_parts(const std::string& file, std::mt19937& random) {
  onnx_file::ModelProto model;
  if (!model.ParseFromString(file)) return file;
  Damage damage(random);
  const size_t changes = 1 + random() % 3;
  for (size_t i = 0; i < changes; ++i) damage.apply(*model.mutable_graph());
  return model.SerializeAsString();
}

}  // namespace dlaexec::test
