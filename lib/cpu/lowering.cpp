// From a typed graph to steps: a kernel per node, and a layout change wherever a value does not lie
// as its reader wants it.
#include <map>
#include <utility>

#include "base/error.h"
#include "cpu/numbers.h"
#include "cpu/reorder.h"
#include "cpu/schedule.h"
#include "ir/captures.h"

namespace dlaexec::cpu {
namespace {

class Lowering {
 public:
  Lowering(ir::Graph graph, const ProgramOptions& options)
      : graph_(std::move(graph)), isa_(options.isa), left_uses_(graph_.values.size(), 0) {}

  Schedule lower() {
    for (const ir::Node& node : graph_.nodes) {
      for (const ir::ValueId id : node.inputs)
        if (id != ir::kNoValue) ++left_uses_[static_cast<size_t>(id)];
      // Never counted down: nobody has packed what bodies capture.
      for (const ir::ValueId id : ir::captured_values(graph_, node))
        ++left_uses_[static_cast<size_t>(id)];
    }
    for (size_t i = 0; i < graph_.inputs.size(); ++i) add_input(static_cast<int>(i));
    for (const ir::Node& node : graph_.nodes)
      in_context([&] { return "compiling node '" + node.name + "'"; }, [&] { add_node(node); });
    for (const ir::ValueId id : graph_.outputs) add_output(id);
    return std::move(schedule_);
  }

 private:
  /// The layout of a value's own type, as callers see it.
  static Layout own_layout(const ir::Value& value) { return {value.type, Order::Linear}; }

  void add_input(int index) {
    const ir::ValueId id = graph_.inputs[static_cast<size_t>(index)];
    const ir::Value& value = graph_.value(id);
    if (value.constant) return;  // its elements are known already
    Buffer buffer;
    buffer.home = Home::Input;
    buffer.index = index;
    buffer.bytes = size_bytes(ir::dims_of(value.shape), own_layout(value));
    places_[{id, own_layout(value)}] = schedule_.add_buffer(std::move(buffer));
  }

  void add_output(ir::ValueId id) {
    const ir::Value& value = graph_.value(id);
    Output output{find(id, own_layout(value)), value.type, std::nullopt};
    if (ir::is_static(value.shape)) output.dims = ir::dims_of(value.shape);
    schedule_.outputs.push_back(output);
  }

  void add_node(const ir::Node& node) {
    const auto exists = [&](ir::ValueId id, Layout layout) {
      return places_.contains({id, layout});
    };
    const Kernel kernel = choose_kernel({graph_, node, isa_, exists});
    Step step;
    step.info = {node.name, node.origins, kernel.name};
    step.may_overwrite = kernel.may_overwrite;
    step.view_offsets = kernel.view_offsets;
    step.joins_inputs = kernel.joins_inputs;
    step.run = kernel.run;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const std::optional<Layout> wanted = kernel.inputs[i];
      step.inputs.push_back(wanted ? find(node.inputs[i], *wanted) : -1);
    }
    for (const ir::ValueId id : ir::captured_values(graph_, node))
      step.inputs.push_back(find(id, own_layout(graph_.value(id))));
    for (size_t i = 0; i < node.outputs.size(); ++i)
      step.outputs.push_back(make_output(node.outputs[i], kernel.outputs[i]));
    if (kernel.scratch_bytes > 0) {
      Buffer scratch;
      scratch.bytes = kernel.scratch_bytes;
      step.scratch = schedule_.add_buffer(std::move(scratch));
    }
    if (kernel.rounds == Rounds::Never) round_outputs(node, kernel, step);
    schedule_.steps.push_back(std::move(step));
    release_constants(node);
  }

  BufferId make_output(ir::ValueId id, Layout layout) {
    if (id == ir::kNoValue) return -1;
    const ir::Value& value = graph_.value(id);
    Buffer buffer;
    if (ir::is_static(value.shape)) {
      buffer.bytes = size_bytes(ir::dims_of(value.shape), layout);
    } else {
      buffer.home = Home::Tensor;
      buffer.index = schedule_.tensor_slots++;
    }
    const BufferId made = schedule_.add_buffer(std::move(buffer));
    places_[{id, layout}] = made;
    return made;
  }

  /// Rounds float results to the numbers of the outputs' types, after the kernel.
  void round_outputs(const ir::Node& node, const Kernel& kernel, Step& step) {
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] == ir::kNoValue) continue;
      const ir::Value& value = graph_.value(node.outputs[i]);
      const bool floats = kernel.outputs[i].storage == ir::DataType::Float32;
      if (!floats || value.type == ir::DataType::Float32 || kernel.is_view()) continue;
      const int64_t count = size_bytes(ir::dims_of(value.shape), kernel.outputs[i]) / 4;
      step.run = [run = std::move(step.run), isa = isa_, rounding = rounding_of(value), count,
                  i](const Call& call) {
        run(call);
        round_numbers(isa, rounding, call.output(i), count, call.pool);
      };
    }
  }

  /// A constant that no later node reads is dropped: what needed it has packed it.
  void release_constants(const ir::Node& node) {
    for (const ir::ValueId id : node.inputs) {
      if (id == ir::kNoValue) continue;
      ir::Value& value = graph_.value(id);
      if (--left_uses_[static_cast<size_t>(id)] == 0 && value.constant && !graph_.is_output(id))
        value.constant.reset();
    }
  }

  /// Where @p id lies as @p layout, through layout changes if need be.
  BufferId find(ir::ValueId id, Layout layout) {
    if (id == ir::kNoValue) return -1;
    const auto place = places_.find({id, layout});
    if (place != places_.end()) return place->second;
    const ir::Value& value = graph_.value(id);
    if (value.constant) return places_[{id, layout}] = add_constant(value, layout);
    // Through linear floats, except that floats come from what there is.
    const Layout own = own_layout(value);
    Layout from = layout == kLinear ? own : kLinear;
    if (layout == kLinear && places_.contains({id, kBlocked})) from = kBlocked;
    DLAEXEC_CHECK(from != layout);
    const BufferId source = find(id, from);
    return add_reorder(value, id, from, layout, source);
  }

  BufferId add_constant(const ir::Value& value, Layout layout) {
    Buffer buffer;
    buffer.home = Home::Constant;
    buffer.constant = laid_out(value, layout);
    buffer.bytes = static_cast<int64_t>(buffer.constant.size_bytes());
    return schedule_.add_buffer(std::move(buffer));
  }

  BufferId add_reorder(const ir::Value& value, ir::ValueId id, Layout from, Layout to,
                       BufferId source) {
    Reorder reorder = make_reorder(value, from, to, isa_);
    Step step;
    step.info = {"reorder of " + value.name, {}, reorder.name};
    step.inputs = {source};
    if (!reorder.run) step.view_offsets = {0};
    step.run = std::move(reorder.run);
    step.outputs = {make_output(id, to)};
    const BufferId made = step.outputs[0];
    schedule_.steps.push_back(std::move(step));
    return made;
  }

  ir::Graph graph_;
  Isa isa_;
  Schedule schedule_;
  std::map<std::pair<ir::ValueId, Layout>, BufferId> places_;
  std::vector<int> left_uses_;
};

}  // namespace

Schedule lower(ir::Graph graph, const ProgramOptions& options) {
  return Lowering(std::move(graph), options).lower();
}

}  // namespace dlaexec::cpu
