#include "gpu/lowering.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "gpu/bounds.h"
#include "gpu/families.h"
#include "gpu/groups.h"

namespace dlaexec::gpu {
namespace {

std::vector<int64_t> strides_of(const ir::Dims& dims, Arrangement arrangement, ir::DataType type) {
  if (arrangement == Arrangement::Dense) return ir::dense_strides(dims);
  const int64_t pixel = round_up(dims[1], vector_elements(type));
  return {dims[2] * dims[3] * pixel, 1, dims[3] * pixel, pixel};
}

float scale_of(const ir::Value& value) {
  if (value.type != ir::DataType::Int8 || !value.quantization.is_known()) return 1;
  return value.quantization.scales[0];
}

}  // namespace

std::string_view stored_type(ir::DataType type) {
  switch (type) {
    case ir::DataType::Float32:
      return "float";
    case ir::DataType::Float16:
      return "half";
    case ir::DataType::Int8:
      return "signed char";
    case ir::DataType::UInt8:
      return "unsigned char";
    case ir::DataType::Int32:
      return "int";
    case ir::DataType::Int64:
      return "long long";
    case ir::DataType::Bool:
      return "bool";
    case ir::DataType::BFloat16:
      return {};
  }
  return {};
}

std::string_view device_type(ir::DataType type) {
  const bool computes =
      type == ir::DataType::Float32 || type == ir::DataType::Float16 || type == ir::DataType::Int8;
  return computes ? stored_type(type) : std::string_view();
}

bool is_device_type(ir::DataType type) { return !device_type(type).empty(); }

std::string_view device_name(ir::ActivationKind kind) {
  static constexpr std::string_view kNames[] = {
      "None",     "Relu", "Clip",     "LeakyRelu",       "Sigmoid",     "Tanh",      "Elu",
      "Selu",     "Celu", "Softplus", "Softsign",        "HardSigmoid", "HardSwish", "GeluErf",
      "GeluTanh", "Mish", "Silu",     "ThresholdedRelu", "Shrink"};
  static_assert(std::size(kNames) == ir::kEnumText<ir::ActivationKind>.size());
  return kNames[static_cast<size_t>(kind)];
}

int64_t span_bytes(const View& view) {
  int64_t last = 0;
  for (size_t i = 0; i < view.dims.size(); ++i) last += (view.dims[i] - 1) * view.strides[i];
  // A pixel counts whole, with the channels that pad it.
  if (view.arrangement == Arrangement::Pixels) last += view.pixel() - view.dims[1];
  return (last + 1) * static_cast<int64_t>(ir::size_bytes(view.type));
}

Lowering::Lowering(const Bounded& bounded, const Target& target, const LowerOptions& options)
    : bounded_(bounded), graph_(bounded.graph), options_(options) {
  lowered_.target = target;
  arrange();
  place_edges();
}

void Lowering::begin(const ir::Node& node, const Group* group) {
  current_ = &node;
  current_nodes_ =
      group ? group->nodes : std::vector<int>{static_cast<int>(&node - graph_.nodes.data())};
  current_name_ =
      join(current_nodes_, " + ", [&](int i) { return graph_.nodes[static_cast<size_t>(i)].name; });
}

/// Decides each value's layout: pixels where a convolution or pooling makes or uses it, and from
/// there through every op that takes either; edges stay dense unless asked otherwise.
void Lowering::arrange() {
  arrangement_.assign(graph_.values.size(), Arrangement::Dense);
  const auto may_be_pixels = [&](ir::ValueId id) {
    if (id == ir::kNoValue) return false;
    const ir::Value& v = value(id);
    if (v.shape.size() != 4 || v.constant || !is_device_type(v.type)) return false;
    return options_.internal_edges || (!graph_.is_input(id) && !graph_.is_output(id));
  };
  const auto set_all = [&](const ir::Node& node) {
    bool changed = false;
    for (const auto* list : {&node.inputs, &node.outputs})
      for (const ir::ValueId id : *list) {
        if (!may_be_pixels(id)) continue;
        Arrangement& arrangement = arrangement_[static_cast<size_t>(id)];
        changed |= arrangement != Arrangement::Pixels;
        arrangement = Arrangement::Pixels;
      }
    return changed;
  };
  const auto has_pixels = [&](const ir::Node& node) {
    for (const auto* list : {&node.inputs, &node.outputs})
      for (const ir::ValueId id : *list)
        if (id != ir::kNoValue && arrangement_[static_cast<size_t>(id)] == Arrangement::Pixels)
          return true;
    return false;
  };
  for (const ir::Node& node : graph_.nodes)
    if (family_of(node.op).layout == Layout::Pixels) set_all(node);
  for (bool changed = true; changed;) {
    changed = false;
    for (const ir::Node& node : graph_.nodes)
      if (family_of(node.op).layout == Layout::Any && has_pixels(node)) changed |= set_all(node);
  }
}

View Lowering::laid_out(ir::ValueId id, Arrangement arrangement, Place place) const {
  const ir::Value& v = value(id);
  View view;
  view.place = place;
  view.type = v.type;
  view.scale = scale_of(v);
  view.dims = ir::dims_of(v.shape);
  view.arrangement = arrangement;
  view.strides = strides_of(view.dims, arrangement, v.type);
  return view;
}

void Lowering::place_edges() {
  const auto edge = [&](ir::ValueId id, Memory memory, std::vector<Edge>& edges) {
    const Place place{memory, static_cast<int>(edges.size()), 0};
    const View view = laid_out(id, arrangement_[static_cast<size_t>(id)], place);
    edges.push_back({value(id).name, view.type, view.dims, span_bytes(view), std::nullopt});
    return view;
  };
  for (const ir::ValueId id : graph_.inputs) views_[id] = edge(id, Memory::Input, lowered_.inputs);
  for (const ir::ValueId id : graph_.outputs) {
    if (bounded_.open.contains(id)) {
      views_[id] = place_open(id);
      continue;
    }
    const View view = edge(id, Memory::Output, lowered_.outputs);
    if (!views_.contains(id) && !value(id).constant) views_[id] = view;
  }
}

/// An output with an axis that data decides: its size lies in front of it.
View Lowering::place_open(ir::ValueId id) {
  const Place place{Memory::Output, static_cast<int>(lowered_.outputs.size()), kCountBytes};
  const View view = laid_out(id, Arrangement::Dense, place);
  const int64_t bytes = ir::volume(view.dims) * static_cast<int64_t>(ir::size_bytes(view.type));
  lowered_.outputs.push_back(
      {value(id).name, view.type, view.dims, kCountBytes + bytes, bounded_.open.at(id).axis});
  return view;
}

namespace {

/// The place of the size in front of @p elements.
Place count_before(const Place& elements) {
  return {elements.memory, elements.index, elements.offset - kCountBytes};
}

View view_of_count(const Place& place) {
  View view;
  view.place = place;
  view.type = ir::DataType::Int64;
  view.dims = view.strides = {1};
  return view;
}

}  // namespace

Place Lowering::count_target(ir::ValueId id) {
  const Place place =
      graph_.is_output(id) ? count_before(views_.at(id).place) : scratch(kCountBytes);
  return counts_[bounded_.open.at(id).size] = place;
}

/// Outputs that follow from one that is counted have its size.
void Lowering::copy_counts() {
  for (const ir::Node& node : graph_.nodes) {
    if (bounded_.counted_by(node)) continue;
    for (const ir::ValueId id : node.outputs) {
      if (!graph_.is_output(id) || !bounded_.open.contains(id)) continue;
      begin(node);
      copy(node, "size", view_of_count(counts_.at(bounded_.open.at(id).size)),
           view_of_count(count_before(views_.at(id).place)));
    }
  }
}

View Lowering::view(ir::ValueId id) {
  if (const auto found = views_.find(id); found != views_.end()) return found->second;
  const ir::Value& v = value(id);
  DLAEXEC_CHECK(v.constant);
  const ir::Tensor tensor = *v.constant;
  const Place place = constant(static_cast<int64_t>(tensor.size_bytes()), [tensor] {
    return std::vector<std::byte>(tensor.bytes().begin(), tensor.bytes().end());
  });
  return views_[id] = laid_out(id, Arrangement::Dense, place);
}

View Lowering::converted(ir::ValueId id, Arrangement arrangement) {
  const View from = view(id);
  if (from.arrangement == arrangement &&
      from.strides == strides_of(from.dims, arrangement, from.type))
    return from;
  const auto key = std::make_pair(id, arrangement);
  if (const auto found = conversions_.find(key); found != conversions_.end()) return found->second;
  const View to = scratch_view(from.type, from.scale, from.dims, arrangement);
  copy(*current_, "layout of " + value(id).name, from, to);
  return conversions_[key] = to;
}

View Lowering::pixels(ir::ValueId id) { return converted(id, Arrangement::Pixels); }

View Lowering::dense(ir::ValueId id) { return converted(id, Arrangement::Dense); }

View Lowering::target_view(ir::ValueId id) {
  if (const auto found = views_.find(id); found != views_.end()) return found->second;
  View view = laid_out(id, arrangement_[static_cast<size_t>(id)], {});
  view.place = scratch(span_bytes(view));
  return views_[id] = view;
}

View Lowering::staged(ir::ValueId id, Arrangement arrangement) {
  const View wanted = target_view(id);
  if (wanted.arrangement == arrangement) return wanted;
  const View view = scratch_view(wanted.type, wanted.scale, wanted.dims, arrangement);
  pending_.emplace_back(view, wanted);
  return view;
}

View Lowering::target_pixels(ir::ValueId id) { return staged(id, Arrangement::Pixels); }

View Lowering::target_dense(ir::ValueId id) { return staged(id, Arrangement::Dense); }

bool Lowering::alias(ir::ValueId id, const View& view) {
  if (views_.contains(id)) return false;
  const bool rescales = view.type == ir::DataType::Int8 && view.scale != scale_of(value(id));
  if (rescales) return false;  // who reads the value takes its own scale
  views_[id] = view;
  return true;
}

bool Lowering::last_touches(const Place& place) const {
  if (lowered_.steps.empty()) return true;
  const std::vector<Patch>& patches = lowered_.steps.back().patches;
  return std::any_of(patches.begin(), patches.end(), [&](const Patch& patch) {
    return patch.place.memory == place.memory && patch.place.index == place.index;
  });
}

Place Lowering::scratch(int64_t bytes, bool zeroed) {
  Slot slot;
  slot.bytes = std::max<int64_t>(bytes, 16);
  slot.zeroed = zeroed;
  lowered_.slots.push_back(slot);
  return {Memory::Slot, static_cast<int>(lowered_.slots.size()) - 1, 0};
}

View Lowering::scratch_view(ir::DataType type, float scale, const ir::Dims& dims,
                            Arrangement arrangement) {
  View view;
  view.type = type;
  view.scale = scale;
  view.dims = dims;
  view.arrangement = arrangement;
  view.strides = strides_of(dims, arrangement, type);
  view.place = scratch(span_bytes(view));
  return view;
}

Place Lowering::constant(int64_t bytes, std::function<std::vector<std::byte>()> make) {
  lowered_.constants.push_back({bytes, std::move(make), 0});
  return {Memory::Constant, static_cast<int>(lowered_.constants.size()) - 1, 0};
}

Place Lowering::constant_floats(std::vector<float> values) {
  const int64_t bytes = static_cast<int64_t>(values.size() * sizeof(float));
  return constant(bytes, [values = std::move(values)] {
    std::vector<std::byte> made(values.size() * sizeof(float));
    std::memcpy(made.data(), values.data(), made.size());
    return made;
  });
}

std::string Lowering::choose(const std::string& problem, const std::vector<std::string>& tactics) {
  DLAEXEC_CHECK(!tactics.empty());
  std::string chosen = options_.choose ? options_.choose(problem, tactics) : std::string();
  if (chosen.empty()) chosen = tactics.front();
  lowered_.choices.push_back({problem, tactics, chosen, current_nodes_});
  return chosen;
}

std::vector<std::string> Lowering::library_tactics(const LibraryProblem& problem) const {
  constexpr size_t kMost = 8;
  constexpr int64_t kWorkspace = 32 << 20;  // more gains nothing
  std::vector<std::string> texts;
  for (const auto& library : options_.libraries)
    for (const LibraryTactic& tactic :
         library->tactics(problem, kMost, std::min(kWorkspace, options_.workspace_bytes)))
      texts.push_back(to_text(tactic));
  return texts;
}

void Lowering::flush(const ir::Node& node) {
  for (const auto& [from, to] : std::exchange(pending_, {})) copy(node, "layout", from, to);
}

Lowered Lowering::finish() {
  plan_memory(lowered_);
  return std::move(lowered_);
}

Lowered lower(const ir::Graph& part, const Target& target, const LowerOptions& options) {
  const Bounded bounded = gpu::bounded(part, target);
  const ir::Graph& graph = bounded.graph;
  Lowering lowering(bounded, target, options);
  const std::vector<Group> groups = find_groups(graph, target);
  std::vector<const Group*> group_of(graph.nodes.size());
  for (const Group& group : groups)
    for (const int node : group.nodes) group_of[static_cast<size_t>(node)] = &group;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const ir::Node& node = graph.nodes[i];
    const Family family = family_of(node.op);
    DLAEXEC_CHECK(family.lower && !family.why_not(graph, node, target));
    if (!group_of[i]) {
      lowering.begin(node);
      family.lower(lowering, node);
    } else if (group_of[i]->at == static_cast<int>(i)) {
      lowering.begin(node, group_of[i]);
      group_of[i]->lower(lowering, *group_of[i]);
    }
    lowering.flush(node);
  }
  lowering.copy_counts();
  return lowering.finish();
}

namespace {

/// Why device memory does not hold @p value, of these dimensions or of fewer elements.
std::optional<std::string> why_not_held(const ir::Value& value, const ir::Dims& dims) {
  if (ir::volume(dims) * static_cast<int64_t>(ir::size_bytes(value.type)) >= int64_t{1} << 31)
    return format("'{}' is larger than 2 GB", value.name);
  return std::nullopt;
}

}  // namespace

std::optional<std::string> why_not(const ir::Graph& graph, const ir::Node& node,
                                   const Target& target) {
  const Family family = family_of(node.op);
  if (!family.lower) return format("op '{}'", ir::info(node.op).text);
  for (const auto* list : {&node.inputs, &node.outputs})
    for (const ir::ValueId id : *list) {
      if (id == ir::kNoValue || (family.most && list == &node.outputs)) continue;
      const ir::Value& value = graph.value(id);
      if (!ir::is_static(value.shape))
        return format("'{}' has a shape that is known only at run time", value.name);
      const ir::Dims dims = ir::dims_of(value.shape);
      if (ir::volume(dims) == 0) return format("'{}' holds no elements", value.name);
      if (auto reason = why_not_held(value, dims)) return reason;
    }
  if (auto reason = family.why_not(graph, node, target)) return reason;
  if (!family.most) return std::nullopt;
  return why_not_held(graph.value(node.outputs[0]), family.most(graph, node));
}

}  // namespace dlaexec::gpu
