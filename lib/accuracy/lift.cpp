#include "accuracy/lift.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <set>
#include <span>
#include <utility>

#include "accuracy/difference.h"
#include "base/log.h"
#include "base/progress.h"
#include "cpu/program.h"
#include "passes/pipeline.h"
#include "quant/ranges.h"

namespace dlaexec::accuracy {
namespace {

using Layers = std::set<std::string>;
using Choice = std::vector<size_t>;  ///< of steps, by their index

/// Batches that each step is tried with alone; noise shows on few.
constexpr size_t kBatchesForNoise = 2;

/// A step of the plan that computes in INT8.
struct Step {
  Layers layers;     ///< nodes of the network that it is made of
  Choice makers;     ///< steps that make its inputs, through those that only move values
  double noise = 0;  ///< squared relative error that it alone brings to the outputs
};

ir::Graph typed(ir::Graph graph) {
  for (ir::Node& node : graph.nodes)
    if (node.device == ir::Device::Dla) node.segment = 0;
  passes::fuse(graph);
  passes::fix_types(graph);
  return graph;
}

/// Whether an output in FP32 can be compared: a real number, and not 0 throughout.
bool tells_something(const ir::Tensor& output) {
  if (!ir::is_float(output.type())) return false;
  const std::vector<float> elements = output.to_floats();
  return std::any_of(elements.begin(), elements.end(),
                     [](float element) { return element != 0 && std::isfinite(element); });
}

class LiftSearch {
 public:
  LiftSearch(const ir::Graph& graph, const quant::Options& options,
             const std::vector<Batch>& batches, ThreadPool& pool)
      : graph_(graph), options_(options), batches_(batches), pool_(pool) {
    ir::Graph real = graph;
    for (ir::Node& node : real.nodes) node.device.reset();
    passes::fuse(real);
    cpu::Program program(std::move(real), pool_);
    for (const Batch& batch : batches) expected_.push_back(program.run(batch));
    for (size_t at = 0; at < graph.outputs.size(); ++at)
      if (std::any_of(expected_.begin(), expected_.end(),
                      [&](const auto& outputs) { return tells_something(outputs[at]); }))
        judged_.push_back(at);
    find_steps();
  }

  size_t step_count() const { return steps_.size(); }

  /// Whether an output shows what INT8 costs.
  bool can_judge() const { return !judged_.empty(); }

  /// The cosine of the worst output when these layers leave INT8.
  double cosine_without(const Layers& lifted) const {
    double worst = 1;
    for (const Difference& output : differences(lifted, batches_.size()))
      worst = std::min(worst, output.not_finite > 0 ? 0 : output.cosine);
    return worst;
  }

  /// Tries every step alone and puts those that bring most noise first.
  void rank_steps() {
    const progress::Scope ranking("trying steps in INT8 alone",
                                  static_cast<int64_t>(steps_.size()));
    Layers all;
    for (const Step& step : steps_) all.insert(step.layers.begin(), step.layers.end());
    for (Step& step : steps_) {
      Layers others = all;
      for (const std::string& layer : step.layers) others.erase(layer);
      for (const Difference& output : differences(others, kBatchesForNoise))
        step.noise += output.relative_l2 * output.relative_l2;
      progress::advance();
    }
    order_.resize(steps_.size());
    std::iota(order_.begin(), order_.end(), size_t{0});
    std::stable_sort(order_.begin(), order_.end(),
                     [&](size_t a, size_t b) { return steps_[a].noise > steps_[b].noise; });
  }

  /// All steps, the noisiest first.
  const Choice& order() const { return order_; }

  /// The layers that leave INT8 with the chosen steps, each with the reason.
  std::map<std::string, std::string> lifted(std::span<const size_t> chosen) const {
    std::map<std::string, std::string> layers;
    for (const size_t at : chosen) {
      const Step& step = steps_[at];
      for (const std::string& layer : step.layers)
        layers.insert_or_assign(
            layer, format("this step's INT8 alone brings noise of {:.2g} % into the outputs",
                          100 * std::sqrt(step.noise)));
      for (const size_t maker : step.makers)
        for (const std::string& layer : steps_[maker].layers)
          layers.emplace(layer, format("INT8 is too coarse for what it makes for layer {}",
                                       *step.layers.begin()));
    }
    return layers;
  }

  int steps_in(const Layers& lifted) const {
    return static_cast<int>(std::count_if(steps_.begin(), steps_.end(), [&](const Step& step) {
      return lifted.contains(*step.layers.begin());
    }));
  }

 private:
  ir::Graph plan_without(const Layers& lifted) const {
    quant::Options options = options_;
    for (const std::string& layer : lifted) options.lifted.emplace(layer, "it is tried without");
    ir::Graph graph = graph_;
    quant::assign(graph, options);
    return typed(std::move(graph));
  }

  /// Of the outputs that tell something; on few batches one may be 0 throughout and tell nothing.
  std::vector<Difference> differences(const Layers& lifted, size_t count) const {
    cpu::Program program(plan_without(lifted), pool_);
    std::vector<DifferenceSum> sums(judged_.size());
    for (size_t i = 0; i < std::min(count, batches_.size()); ++i) {
      const std::vector<ir::Tensor> found = program.run(batches_[i]);
      for (size_t at = 0; at < judged_.size(); ++at)
        sums[at].add(found[judged_[at]], expected_[i][judged_[at]]);
    }
    std::vector<Difference> totals;
    for (const DifferenceSum& sum : sums)
      if (const Difference total = sum.total(); std::isfinite(total.relative_l2))
        totals.push_back(total);
    return totals;
  }

  void find_steps() {
    std::map<std::string, std::string> node_of;  // by the layers that it is made of
    for (const ir::Node& node : graph_.nodes)
      for (const std::string& layer : node.origins) node_of[layer] = node.name;
    const ir::Graph plan = plan_without({});
    const std::vector<int> made_by = ir::producers(plan);
    std::map<int, size_t> step_of;  // by the plan's node
    for (size_t i = 0; i < plan.nodes.size(); ++i) {
      const ir::Node& node = plan.nodes[i];
      if (node.op == ir::Op::Reformat || node.precision != ir::DataType::Int8) continue;
      Step step;
      for (const std::string& layer : node.origins)
        if (const auto found = node_of.find(layer); found != node_of.end())
          step.layers.insert(found->second);
      if (step.layers.empty()) continue;
      add_makers(plan, made_by, step_of, node, step);
      step_of[static_cast<int>(i)] = steps_.size();
      steps_.push_back(std::move(step));
    }
  }

  static void add_makers(const ir::Graph& plan, const std::vector<int>& made_by,
                         const std::map<int, size_t>& step_of, const ir::Node& node, Step& step) {
    for (const ir::ValueId id : node.inputs) {
      const int maker = id == ir::kNoValue ? -1 : made_by[static_cast<size_t>(id)];
      if (maker < 0) continue;
      const ir::Node& made = plan.nodes[static_cast<size_t>(maker)];
      if (const auto found = step_of.find(maker); found != step_of.end())
        step.makers.push_back(found->second);
      if (made.op == ir::Op::Reformat || made.op == ir::Op::Concat ||
          quant::only_moves_values(made))
        add_makers(plan, made_by, step_of, made, step);
    }
  }

  const ir::Graph& graph_;
  const quant::Options& options_;
  const std::vector<Batch>& batches_;
  ThreadPool& pool_;
  std::vector<std::vector<ir::Tensor>> expected_;
  std::vector<size_t> judged_;  ///< outputs, by their index
  std::vector<Step> steps_;
  Choice order_;
};

Layers names(const std::map<std::string, std::string>& reasons) {
  Layers layers;
  for (const auto& [layer, reason] : reasons) layers.insert(layer);
  return layers;
}

/// True if the outputs are good enough when these steps leave INT8.
using Holds = std::function<bool(std::span<const size_t> chosen)>;

/// The fewest of @p order, counted from its begin, with which it holds, as it does with all.
Choice shortest_beginning(const Choice& order, const Holds& holds) {
  const auto beginning = [&](size_t count) { return std::span(order).first(count); };
  size_t low = 0, high = 1;  // low does not hold
  while (high < order.size() && !holds(beginning(high))) low = std::exchange(high, high * 2);
  high = std::min(high, order.size());
  while (high - low > 1) {
    const size_t middle = (low + high) / 2;
    (holds(beginning(middle)) ? high : low) = middle;
  }
  return {order.begin(), order.begin() + static_cast<ptrdiff_t>(high)};
}

/// @p chosen without the steps that it holds without, too; the last ones are tried first.
Choice without_needless(Choice chosen, const Holds& holds) {
  const progress::Scope trying("putting steps back into INT8", static_cast<int64_t>(chosen.size()));
  for (size_t i = chosen.size(); i-- > 0;) {
    progress::advance();
    Choice fewer = chosen;
    fewer.erase(fewer.begin() + static_cast<ptrdiff_t>(i));
    if (!fewer.empty() && holds(fewer)) chosen = std::move(fewer);
  }
  return chosen;
}

/// Few steps with which it holds; all of @p order where it does not even with those.
Choice few_steps(const Choice& order, const Holds& holds) {
  if (!holds(order)) return order;
  return without_needless(shortest_beginning(order, holds), holds);
}

}  // namespace

quant::Lifted find_lifts(const ir::Graph& graph, const quant::Options& options,
                         const std::vector<Batch>& batches, double least_cosine, ThreadPool& pool) {
  quant::Lifted result;
  LiftSearch search(graph, options, batches, pool);
  if (!search.can_judge()) {
    log::warning(
        "--calibCosine: no output has real numbers other than 0 on the samples, so nothing tells "
        "what INT8 costs; all layers stay in INT8");
    return result;
  }
  for (const Batch& batch : batches)
    result.samples += batch[0].dims().empty() ? 1 : static_cast<size_t>(batch[0].dims()[0]);
  result.least_cosine = least_cosine;
  result.of = static_cast<int>(search.step_count());
  result.cosine_before = result.cosine_after = search.cosine_without({});
  const bool may_leave = options.fp16 || !options.dla;
  if (result.cosine_before >= least_cosine || !may_leave || result.of == 0) return result;
  log::info("INT8 keeps a cosine of {:.4f} to FP32; trying {} steps alone to see which cost most",
            result.cosine_before, result.of);
  search.rank_steps();
  const Holds holds = [&](std::span<const size_t> chosen) {
    return search.cosine_without(names(search.lifted(chosen))) >= least_cosine;
  };
  result.layers = search.lifted(few_steps(search.order(), holds));
  result.cosine_after = search.cosine_without(names(result.layers));
  result.steps = search.steps_in(names(result.layers));
  return result;
}

}  // namespace dlaexec::accuracy
