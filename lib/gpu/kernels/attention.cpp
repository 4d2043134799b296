// Scores, scale, softmax and weighted sum of values as one launch of attention.cu or
// attention_wgmma.cu.
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

/// One way to run an attention.
struct Form {
  std::string tactic;
  Kernel kernel;
  int64_t tiles;  ///< of queries
  int threads;
  int64_t shared_bytes;
  int64_t step_keys = 0;  ///< boxes of keys and values by the copy engine; 0: without it
};

/// What attention runs on.
struct Sizes {
  int64_t batch, heads, queries, keys, head;
};

/// @p rows: of keys or values, or queries, that a block of attention.cu holds.
int64_t attention_bytes(int64_t rows, int64_t head) { return rows * (head * 2 + 16); }

/// Few queries: warps share them and split the keys, so that no multiprocessor idles.
Form sharing_queries(const Sizes& s) {
  return {"mma shared",
          {"attention.cu", format("attention_shared_queries<{}, 4>", s.head)},
          ceil_div(s.queries, 16),
          4 * 32,
          attention_bytes(16 + 2 * 4 * 64, s.head)};
}

/// As many queries as eight warps hold, in tiles alike: keys are read once for each.
Form with_own_queries(const Sizes& s) {
  const int64_t groups = ceil_div(s.queries, 16), tiles = ceil_div(groups, 8);
  const int64_t warps = ceil_div(groups, tiles);
  return {format("mma {}", warps),
          {"attention.cu", format("attention<{}, {}>", s.head, warps)},
          tiles,
          static_cast<int>(warps * 32),
          attention_bytes(warps * 16 + 4 * 64, s.head)};
}

/// A warpgroup for 64 queries; keys all at once where registers hold their scores.
Form with_warpgroups(const Sizes& s) {
  const int64_t keys = s.keys <= 64 ? 64 : s.keys <= 112 || s.keys > 208 ? 112 : 208;
  const bool one_step = s.keys <= keys;
  const int64_t row = ceil_div(s.head, 64) * 128, sides = one_step ? 2 : 4;
  return {format("wgmma {}", keys),
          {"attention_wgmma.cu", format("attention_wgmma<{}, {}, {}>", s.head, keys, one_step)},
          ceil_div(s.queries, 64),
          128,
          1024 + (64 + sides * keys) * row,
          keys};
}

/// The forms that @p target runs, the likely best first.
std::vector<Form> forms_of(const Sizes& s, const Target& target) {
  std::vector<Form> forms;
  const bool few = s.batch * s.heads * ceil_div(s.queries, 16) <= 2 * target.multiprocessors;
  if (few) forms.push_back(sharing_queries(s));
  if (target.is_hopper()) forms.push_back(with_warpgroups(s));
  if (!few || target.is_hopper()) forms.push_back(with_own_queries(s));
  std::erase_if(forms, [&](const Form& f) { return f.shared_bytes > target.shared_bytes; });
  return forms;
}

/// @p view as the copy engine walks it: boxes of @p rows rows of a head, 64 elements wide.
BoxMap boxes_of(const View& view, int64_t rows) {
  const auto dim = [&](size_t i) { return static_cast<uint64_t>(view.dims[i]); };
  const auto stride = [&](size_t i) {  // of one alone: any that is allowed
    return dim(i) == 1 ? 16 : static_cast<uint64_t>(view.strides[i]) * 2;
  };
  BoxMap map;
  map.type = view.type;
  map.dims = {dim(3), dim(1), dim(2), dim(0)};
  map.strides = {stride(1), stride(2), stride(0)};
  map.box = {64, 1, static_cast<uint32_t>(rows), 1};
  map.steps = {1, 1, 1, 1};
  return map;
}

/// Views of queries, keys, values and results, with a batch and a head dimension.
struct Operands {
  View q, k, v, y;
};

Step& add_attention(Lowering& lowering, const ir::Node& node, const Operands& on, const Form& form,
                    const AttentionParams& p) {
  const Launch launch{{form.tiles, on.q.dims[1], on.q.dims[0]},
                      {form.threads, 1, 1},
                      static_cast<int>(form.shared_bytes)};
  if (form.step_keys == 0) {
    Step& step = lowering.add(node, "", form.kernel, launch, p);
    patch(step, &AttentionParams::q, on.q.place);
    patch(step, &AttentionParams::k, on.k.place);
    patch(step, &AttentionParams::v, on.v.place);
    patch(step, &AttentionParams::y, on.y.place);
    return step;
  }
  Step& step = lowering.add(node, "", form.kernel, launch, AttentionMaps{{}, {}, {}, p});
  patch(step, &AttentionMaps::q, on.q.place, boxes_of(on.q, 64));
  patch(step, &AttentionMaps::k, on.k.place, boxes_of(on.k, form.step_keys));
  patch(step, &AttentionMaps::v, on.v.place, boxes_of(on.v, form.step_keys));
  patch(step, &AttentionMaps::attention, &AttentionParams::y, on.y.place);
  return step;
}

AttentionParams params_of(const Operands& on, const Sizes& s, float factor) {
  AttentionParams p{};
  p.q_rows = rows_of(on.q);
  p.k_rows = rows_of(on.k);
  p.v_rows = rows_of(on.v);
  p.y_rows = rows_of(on.y);
  p.heads = static_cast<int>(s.heads);
  p.queries = static_cast<int>(s.queries);
  p.keys = static_cast<int>(s.keys);
  p.scale = factor * 1.44269504f;
  return p;
}

void lower_attention(Lowering& lowering, const Group& group) {
  const ir::Graph& graph = lowering.graph();
  const ir::Node& context = graph.nodes[static_cast<size_t>(group.nodes.back())];
  const Parts parts = *parts_around(Links(graph), *Links(graph).maker(context.inputs[0]));
  Operands on;
  on.q = in_rows(lowering, context, "queries", lowering.view(parts.scores->inputs[0]));
  on.k = in_rows(lowering, context, "keys", turned(lowering.view(parts.scores->inputs[1])));
  on.v = in_rows(lowering, context, "values", lowering.view(context.inputs[1]));
  on.y = target_of(lowering, context);
  const Sizes s{on.q.dims[0], on.q.dims[1], on.q.dims[2], on.k.dims[2], on.q.dims[3]};
  const std::string problem =
      format("attention f16 {}x{}x{}x{} keys {}", s.batch, s.heads, s.queries, s.head, s.keys);
  const std::vector<Form> forms = forms_of(s, lowering.target());
  const Form& form = choose_form(lowering, problem, forms);
  Step& step = add_attention(lowering, context, on, form, params_of(on, s, parts.factor));
  const auto elements = static_cast<double>(s.batch * s.heads * s.head);
  step.operations = 4 * elements * static_cast<double>(s.queries * s.keys);
  step.bytes = 4 * elements * static_cast<double>(s.queries + s.keys);
  step.problem = problem;
  step.tactic = form.tactic;
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
