// Launches of index.cu: gathers, scatters, one_hot, trilu.
#include <algorithm>

#include "base/error.h"
#include "gpu/families.h"
#include "gpu/kernels/index_params.h"
#include "gpu/kernels/word.h"

namespace dlaexec::gpu {
namespace {

using ir::Op;

std::string_view index_type(ir::DataType type) {
  return type == ir::DataType::Int32 ? "int" : "long long";
}

/// Bytes that can move at once where @p elements lie side by side in each of @p views.
int64_t word_bytes(std::span<const View> views, int64_t elements) {
  const int64_t size = static_cast<int64_t>(ir::size_bytes(views.front().type));
  int64_t bytes = 16;
  const auto fits = [&](int64_t count) {
    return elements * size % count == 0 &&
           std::all_of(views.begin(), views.end(),
                       [&](const View& view) { return view.place.offset % count == 0; });
  };
  while (bytes > size && !fits(bytes)) bytes /= 2;
  return bytes;
}

/// Adds a launch of @p name with a thread for each of p.count words.
Step& add(Lowering& lowering, const ir::Node& node, std::string_view name, int64_t bytes,
          std::string_view last, const IndexParams& p) {
  const Kernel kernel{"index.cu", format("{}<{}, {}>", name, word_type(bytes), last)};
  return lowering.add(node, "", kernel, {{ceil_div(p.count, 256), 1, 1}, {256, 1, 1}}, p);
}

/// The sizes and strides of dense @p dims at the end of the parameters' lists.
void set_data(IndexParams& p, const ir::Dims& dims) {
  std::fill(std::begin(p.sizes), std::end(p.sizes), 1);
  const std::vector<int64_t> strides = ir::dense_strides(dims);
  const size_t skipped = kIndexRank - dims.size();
  for (size_t d = 0; d < dims.size(); ++d) {
    p.sizes[skipped + d] = static_cast<int>(dims[d]);
    p.strides[skipped + d] = strides[d];
  }
}

void set_index_dims(IndexParams& p, const ir::Dims& dims) {
  std::fill(std::begin(p.index_dims), std::end(p.index_dims), 1);
  for (size_t d = 0; d < dims.size(); ++d)
    p.index_dims[kIndexRank - dims.size() + d] = static_cast<int>(dims[d]);
}

int64_t volume_from(const ir::Dims& dims, size_t first) {
  return ir::volume(ir::Dims(dims.begin() + static_cast<std::ptrdiff_t>(first), dims.end()));
}

void lower_gather(Lowering& lowering, const ir::Node& node) {
  const View data = lowering.dense(node.inputs[0]), indices = lowering.dense(node.inputs[1]);
  const View out = lowering.target_dense(node.outputs[0]);
  const size_t axis = static_cast<size_t>(node.get<ir::AxisAttributes>().axis);
  const int64_t elements = volume_from(data.dims, axis + 1);
  const View both[] = {data, out};
  const int64_t bytes = word_bytes(both, elements);
  const int64_t size = static_cast<int64_t>(ir::size_bytes(data.type));
  IndexParams p{};
  p.inner = elements * size / bytes;
  p.sizes[0] = static_cast<int>(data.dims[axis]);
  p.index_dims[0] = static_cast<int>(ir::volume(indices.dims));
  p.count = ir::volume(out.dims) * size / bytes;
  Step& step = add(lowering, node, "gather", bytes, index_type(indices.type), p);
  patch(step, &IndexParams::data, data.place);
  patch(step, &IndexParams::indices, indices.place);
  patch(step, &IndexParams::out, out.place);
  step.bytes = 2.0 * static_cast<double>(span_bytes(out));
}

/// How a scatter combines an element with what is there; empty when it replaces it.
std::string_view combination(const ir::Node& node) {
  if (node.op != Op::ScatterElements && node.op != Op::ScatterNd) return {};
  switch (node.get<ir::ScatterAttributes>().reduction) {
    case ir::Reduction::None:
      return {};
    case ir::Reduction::Add:
      return "Add";
    case ir::Reduction::Mul:
      return "Mul";
    case ir::Reduction::Max:
      return "Max";
    case ir::Reduction::Min:
      return "Min";
  }
  return {};
}

/// Adds the launch of a scatter that combines: a thread an element of the result.
Step& add_combination(Lowering& lowering, const ir::Node& node, std::string_view name,
                      const View& out, ir::DataType index, IndexParams p) {
  p.count = ir::volume(out.dims);
  const Kernel kernel{"index.cu", format("{}<{}, {}, {}>", name, stored_type(out.type),
                                         index_type(index), combination(node))};
  return lowering.add(node, "", kernel, {{ceil_div(p.count, 256), 1, 1}, {256, 1, 1}}, p);
}

void lower_elements(Lowering& lowering, const ir::Node& node) {
  const bool scatters = node.op == Op::ScatterElements;
  const View data = lowering.dense(node.inputs[0]), indices = lowering.dense(node.inputs[1]);
  const View out = lowering.target_dense(node.outputs[0]);
  const int64_t axis =
      scatters ? node.get<ir::ScatterAttributes>().axis : node.get<ir::AxisAttributes>().axis;
  IndexParams p{};
  set_data(p, data.dims);
  set_index_dims(p, indices.dims);
  p.axis = static_cast<int>(kIndexRank - data.rank() + (axis < 0 ? axis + data.rank() : axis));
  p.count = ir::volume(indices.dims);
  const bool combines = !combination(node).empty();
  if (scatters && !combines) lowering.copy(node, "data", data, out);
  Step& step =
      combines ? add_combination(lowering, node, "combine_elements", out, indices.type, p)
               : add(lowering, node, scatters ? "scatter_elements" : "gather_elements",
                     static_cast<int64_t>(ir::size_bytes(data.type)), index_type(indices.type), p);
  patch(step, &IndexParams::data, data.place);
  patch(step, &IndexParams::indices, indices.place);
  if (scatters) patch(step, &IndexParams::updates, lowering.dense(node.inputs[2]).place);
  patch(step, &IndexParams::out, out.place);
  step.bytes = static_cast<double>(span_bytes(indices) + span_bytes(out));
}

void lower_nd(Lowering& lowering, const ir::Node& node) {
  const bool scatters = node.op == Op::ScatterNd;
  const View data = lowering.dense(node.inputs[0]), indices = lowering.dense(node.inputs[1]);
  const View out = lowering.target_dense(node.outputs[0]);
  const int64_t batch = scatters ? 0 : node.get<ir::GatherNdAttributes>().batch_dims;
  const int64_t depth = indices.dims.back();
  const View moved[] = {scatters ? lowering.dense(node.inputs[2]) : data, out};
  const int64_t elements = volume_from(data.dims, static_cast<size_t>(batch + depth));
  const int64_t size = static_cast<int64_t>(ir::size_bytes(data.type));
  const bool combines = !combination(node).empty();
  const int64_t bytes = combines ? size : word_bytes(moved, elements);
  IndexParams p{};
  set_data(p, data.dims);
  for (long long& stride : p.strides) stride = stride * size / bytes;
  p.first = static_cast<int>(kIndexRank - data.rank() + batch);
  p.depth = static_cast<int>(depth);
  p.inner = elements * size / bytes;
  const ir::Dims tuples(indices.dims.begin() + batch, indices.dims.end() - 1);
  p.tuples = ir::volume(tuples);
  p.batch_stride = volume_from(data.dims, static_cast<size_t>(batch)) * size / bytes;
  p.count = ir::volume(indices.dims) / depth * p.inner;
  if (scatters && !combines) lowering.copy(node, "data", data, out);
  Step& step = combines ? add_combination(lowering, node, "combine_nd", out, indices.type, p)
                        : add(lowering, node, scatters ? "scatter_nd" : "gather_nd", bytes,
                              index_type(indices.type), p);
  patch(step, &IndexParams::data, data.place);
  patch(step, &IndexParams::indices, indices.place);
  if (scatters) patch(step, &IndexParams::updates, moved[0].place);
  patch(step, &IndexParams::out, out.place);
  step.bytes = static_cast<double>(span_bytes(indices) + span_bytes(out));
}

void lower_one_hot(Lowering& lowering, const ir::Node& node) {
  const View indices = lowering.dense(node.inputs[0]), values = lowering.dense(node.inputs[2]);
  const View out = lowering.target_dense(node.outputs[0]);
  const int64_t rank = out.rank(), given = node.get<ir::AxisAttributes>().axis;
  const size_t axis = static_cast<size_t>(given < 0 ? given + rank : given);
  IndexParams p{};
  p.inner = volume_from(out.dims, axis + 1);
  p.sizes[0] = static_cast<int>(out.dims[axis]);
  p.count = ir::volume(out.dims);
  Step& step = add(lowering, node, "one_hot", static_cast<int64_t>(ir::size_bytes(out.type)),
                   index_type(indices.type), p);
  patch(step, &IndexParams::data, values.place);
  patch(step, &IndexParams::indices, indices.place);
  patch(step, &IndexParams::out, out.place);
  step.bytes = static_cast<double>(span_bytes(out));
}

void lower_trilu(Lowering& lowering, const ir::Node& node) {
  const View data = lowering.dense(node.inputs[0]);
  const View out = lowering.target_dense(node.outputs[0]);
  IndexParams p{};
  set_data(p, data.dims);
  p.count = ir::volume(out.dims);
  const ir::Tensor* diagonal = lowering.graph().constant(node, 1);
  p.diagonal =
      diagonal
          ? static_cast<int>(std::clamp<int64_t>(diagonal->to_ints()[0], -1000000000, 1000000000))
          : 0;
  Step& step = add(lowering, node, "trilu", static_cast<int64_t>(ir::size_bytes(out.type)),
                   node.get<ir::TriluAttributes>().upper ? "true" : "false", p);
  patch(step, &IndexParams::data, data.place);
  patch(step, &IndexParams::out, out.place);
  step.bytes = 2.0 * static_cast<double>(span_bytes(out));
}

bool is_index(const ir::Value& value) {
  return value.type == ir::DataType::Int32 || value.type == ir::DataType::Int64;
}

/// Why a scatter does not combine as it is asked to, as a clause. Each element looks at every
/// update that may be for it, which is too much work for long lists.
std::optional<std::string> why_not_combined(const ir::Graph& graph, const ir::Node& node) {
  constexpr int64_t kMostLooks = int64_t{1} << 33;
  const ir::Value &data = graph.value(node.inputs[0]), &indices = graph.value(node.inputs[1]);
  if (stored_type(data.type).empty() || data.type == ir::DataType::Bool ||
      data.quantization.is_known())
    return format("a scatter that combines {}", ir::text(data.type));
  const ir::Dims dims = ir::dims_of(indices.shape);
  const int64_t axis = node.get<ir::ScatterAttributes>().axis;
  const int64_t updates =
      node.op == Op::ScatterNd
          ? ir::volume(dims) / dims.back()
          : dims[static_cast<size_t>(axis < 0 ? axis + std::ssize(dims) : axis)];
  if (ir::volume(ir::dims_of(data.shape)) * updates > kMostLooks)
    return std::string("a scatter that combines long lists");
  return std::nullopt;
}

}  // namespace

std::optional<std::string> why_not_index(const ir::Graph& graph, const ir::Node& node,
                                         const Target&) {
  const ir::Value& out = graph.value(node.outputs[0]);
  const bool hot = node.op == Op::OneHot;
  for (const ir::ValueId id : {node.inputs[0], node.outputs[0]})
    if (graph.value(id).shape.size() > kIndexRank)
      return format("{} dimensions", graph.value(id).shape.size());
  if (auto reason = why_not_words(graph.value(node.inputs[hot ? 2 : 0]), out)) return reason;
  if (node.op == Op::Trilu)
    return node.inputs.size() > 1 && node.inputs[1] != ir::kNoValue && !graph.constant(node, 1)
               ? std::optional<std::string>("a diagonal that data decides")
               : std::nullopt;
  if (!is_index(graph.value(node.inputs[hot ? 0 : 1])))
    return std::string("indices that are neither i32 nor i64");
  if (node.op == Op::ScatterElements || node.op == Op::ScatterNd) {
    if (!combination(node).empty()) {
      if (auto reason = why_not_combined(graph, node)) return reason;
    }
    return why_not_words(graph.value(node.inputs[2]), out);
  }
  return std::nullopt;
}

void lower_index(Lowering& lowering, const ir::Node& node) {
  switch (node.op) {
    case Op::Gather:
      return lower_gather(lowering, node);
    case Op::GatherNd:
    case Op::ScatterNd:
      return lower_nd(lowering, node);
    case Op::OneHot:
      return lower_one_hot(lowering, node);
    case Op::Trilu:
      return lower_trilu(lowering, node);
    default:
      return lower_elements(lowering, node);
  }
}

}  // namespace dlaexec::gpu
