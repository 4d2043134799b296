// Scores, scale, softmax and weighted sum of values as one launch of attention.cu.
#include <algorithm>

#include "base/error.h"
#include "gpu/groups.h"
#include "gpu/kernels/attention_params.h"

namespace dlaexec::gpu {
namespace {

using ir::DataType;
using ir::Op;

/// A product of two values in half with nothing fused into it.
bool is_plain_product(const ir::Graph& graph, const ir::Node& node) {
  if (node.op != Op::MatMul || node.inputs.size() != 2) return false;
  for (const ir::ValueId id : node.inputs)
    if (graph.value(id).constant || graph.value(id).type != DataType::Float16) return false;
  return node.get<ir::MatMulAttributes>().activation == ir::ActivationKind::None &&
         graph.value(node.outputs[0]).type == DataType::Float16;
}

/// What @p node multiplies its only changing input with; nothing if it does something else.
struct Factor {
  ir::ValueId input;
  float factor;
};
std::optional<Factor> factor_of(const ir::Graph& graph, const ir::Node& node) {
  if (node.op != Op::Elementwise) return std::nullopt;
  const auto& a = node.get<ir::ElementwiseAttributes>();
  const bool divides = a.kind == ir::ElementwiseKind::Div;
  if ((!divides && a.kind != ir::ElementwiseKind::Prod) || a.activation != ir::ActivationKind::None)
    return std::nullopt;
  for (const size_t at : {size_t{1}, size_t{0}}) {
    const ir::Tensor* constant = graph.constant(node, at);
    if (!constant || constant->count() != 1 || (divides && at == 0)) continue;
    const float value = constant->to_floats()[0];
    return Factor{node.inputs[1 - at], divides ? 1 / value : value};
  }
  return std::nullopt;
}

/// The nodes of one attention, from its softmax outwards.
struct Parts {
  const ir::Node *scores, *softmax, *context;
  const ir::Node* scale = nullptr;
  float factor = 1;
};

std::optional<Parts> parts_around(const Links& links, const ir::Node& softmax) {
  const ir::Graph& graph = links.graph();
  if (softmax.op != Op::Softmax) return std::nullopt;
  const auto& a = softmax.get<ir::SoftmaxAttributes>();
  const int64_t rank = static_cast<int64_t>(graph.value(softmax.inputs[0]).shape.size());
  if (a.kind != ir::SoftmaxKind::Softmax || a.axis != rank - 1 || rank < 3 || rank > 4)
    return std::nullopt;
  Parts parts{nullptr, &softmax, links.only_user(softmax.outputs[0])};
  ir::ValueId scored = softmax.inputs[0];
  const ir::Node* before = links.maker(scored);
  if (before && links.only_user(scored))
    if (const auto factor = factor_of(graph, *before)) {
      parts.scale = before;
      parts.factor = factor->factor;
      scored = factor->input;
    }
  parts.scores = links.maker(scored);
  if (!parts.scores || !parts.context || !links.only_user(scored)) return std::nullopt;
  if (!is_plain_product(graph, *parts.scores) || !is_plain_product(graph, *parts.context) ||
      parts.context->inputs[0] != softmax.outputs[0])
    return std::nullopt;
  return parts;
}

/// @p view with a batch and a head dimension, in that order, in front of its rows.
View with_heads(View view) {
  if (view.rank() == 3) {
    view.dims.insert(view.dims.begin() + 1, 1);
    view.strides.insert(view.strides.begin() + 1, 0);
  }
  return view;
}

/// The same elements in rows that start on 16 bytes; copied if they do not already.
View in_rows(Lowering& lowering, const ir::Node& node, std::string_view suffix, View view) {
  view = with_heads(view);
  view.arrangement = Arrangement::Dense;
  const auto whole = [](int64_t stride) { return stride % 8 == 0; };
  if (view.strides[3] == 1 && std::all_of(view.strides.begin(), view.strides.end() - 1, whole) &&
      view.place.offset % 16 == 0)
    return view;
  const View rows = lowering.scratch_view(view.type, 1, view.dims, Arrangement::Dense);
  lowering.copy(node, suffix, view, rows);
  return rows;
}

View turned(View view) {
  std::swap(view.dims.end()[-1], view.dims.end()[-2]);
  std::swap(view.strides.end()[-1], view.strides.end()[-2]);
  view.arrangement = Arrangement::Dense;
  return view;
}

AttentionRows rows_of(const View& view) {
  return {view.strides[0], view.strides[1], view.strides[2]};
}

/// Where the context goes: rows of all heads beside each other when what follows wants them so.
View target_of(Lowering& lowering, const ir::Node& context) {
  const Links links(lowering.graph());
  const ir::ValueId id = context.outputs[0];
  const ir::Node* user = links.only_user(id);
  const bool merges = user && user->op == Op::Transpose &&
                      user->get<ir::TransposeAttributes>().perm == ir::Ints{0, 2, 1, 3};
  if (!merges) return with_heads(lowering.target_dense(id));
  const ir::Dims dims = ir::dims_of(lowering.value(id).shape);
  View view = lowering.scratch_view(DataType::Float16, 1, {dims[0], dims[2], dims[1], dims[3]},
                                    Arrangement::Dense);
  std::swap(view.dims[1], view.dims[2]);
  std::swap(view.strides[1], view.strides[2]);
  DLAEXEC_CHECK(lowering.alias(id, view));
  return view;
}

/// How queries and keys go to blocks.
struct Blocks {
  bool shares_queries;  ///< the warps of a block share 16 queries
  int64_t warps, tiles, shared_bytes;
};

/// @p rows: of keys or values, or queries, that a block holds.
int64_t attention_bytes(int64_t rows, int64_t head) { return rows * (head * 2 + 16); }

Blocks blocks_of(const ir::Dims& q, const Target& target) {
  const int64_t heads = q[0] * q[1], queries = q[2], head = q[3], groups = ceil_div(queries, 16);
  // Few queries: warps share them and split the keys, so that no multiprocessor idles.
  const Blocks shared{true, 4, groups, attention_bytes(16 + 2 * 4 * 64, head)};
  if (heads * groups <= 2 * target.multiprocessors && shared.shared_bytes <= target.shared_bytes)
    return shared;
  // As many queries as eight warps hold, in tiles alike: keys are read once for each.
  const int64_t tiles = ceil_div(groups, 8), warps = ceil_div(groups, tiles);
  return {false, warps, tiles, attention_bytes(warps * 16 + 4 * 64, head)};
}

void lower_attention(Lowering& lowering, const Group& group) {
  const ir::Graph& graph = lowering.graph();
  const ir::Node& context = graph.nodes[static_cast<size_t>(group.nodes.back())];
  const Parts parts = *parts_around(Links(graph), *Links(graph).maker(context.inputs[0]));
  const View q = in_rows(lowering, context, "queries", lowering.view(parts.scores->inputs[0]));
  const View k = in_rows(lowering, context, "keys", turned(lowering.view(parts.scores->inputs[1])));
  const View v = in_rows(lowering, context, "values", lowering.view(context.inputs[1]));
  const View y = target_of(lowering, context);
  AttentionParams p{};
  p.q_rows = rows_of(q);
  p.k_rows = rows_of(k);
  p.v_rows = rows_of(v);
  p.y_rows = rows_of(y);
  p.heads = static_cast<int>(q.dims[1]);
  p.queries = static_cast<int>(q.dims[2]);
  p.keys = static_cast<int>(k.dims[2]);
  p.scale = parts.factor * 1.44269504f;
  const int64_t head = q.dims[3], batch = q.dims[0];
  const Blocks blocks = blocks_of(q.dims, lowering.target());
  const Launch launch{{blocks.tiles, p.heads, batch},
                      {static_cast<int>(blocks.warps * 32), 1, 1},
                      static_cast<int>(blocks.shared_bytes)};
  const Kernel kernel{
      "attention.cu",
      format("{}<{}, {}>", blocks.shares_queries ? "attention_shared_queries" : "attention", head,
             blocks.warps)};
  Step& step = lowering.add(context, "", kernel, launch, p);
  patch(step, &AttentionParams::q, q.place);
  patch(step, &AttentionParams::k, k.place);
  patch(step, &AttentionParams::v, v.place);
  patch(step, &AttentionParams::y, y.place);
  step.operations = 4.0 * static_cast<double>(batch * p.heads * head) * p.queries * p.keys;
  step.bytes = 2.0 * static_cast<double>(batch * p.heads * head) * (p.queries + p.keys) * 2;
}

}  // namespace

std::optional<Group> attention_around(const Links& links, const ir::Node& softmax,
                                      const Target& target) {
  const std::optional<Parts> parts = parts_around(links, softmax);
  if (!parts) return std::nullopt;
  const ir::Graph& graph = links.graph();
  const auto dims = [&](ir::ValueId id) { return ir::dims_of(graph.value(id).shape); };
  const ir::Dims q = dims(parts->scores->inputs[0]), k = dims(parts->scores->inputs[1]),
                 v = dims(parts->context->inputs[1]);
  if (parts->factor <= 0) return std::nullopt;  // the largest score would be the smallest
  if (k.size() != q.size() || v.size() != q.size() || v.back() != q.back()) return std::nullopt;
  if (!std::equal(q.begin(), q.end() - 2, k.begin()) ||
      !std::equal(q.begin(), q.end() - 2, v.begin()))
    return std::nullopt;
  if (q.back() % 16 != 0 || q.back() > 128 || q[0] > 65535 || q[1] > 65535) return std::nullopt;
  if (attention_bytes(8 * 16 + 4 * 64, q.back()) > target.shared_bytes) return std::nullopt;
  Group group;
  for (const ir::Node* node : {parts->scores, parts->scale, parts->softmax, parts->context})
    if (node) group.nodes.push_back(links.index(*node));
  group.at = group.nodes.back();
  group.lower = lower_attention;
  return group;
}

}  // namespace dlaexec::gpu
