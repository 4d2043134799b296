#include "passes/pipeline.h"

#include "passes/passes.h"

namespace dlaexec::passes {
namespace {

// clang-format off
constexpr Pass kCleanUp[] = {
    {"fold-shape-arithmetic", fold_shape_arithmetic,
     "first: shapes that become constants let everything behind them fold"},
    {"multiply-einsum", multiply_einsum,
     "before constants fold and what changes nothing goes: it leaves both"},
    {"fold-constants", fold_constants,
     "before the passes that ask whether weights are constant"},
    {"remove-identities", remove_identities,
     "before BatchNorm looks for the convolution that it follows"},
    {"fold-batch-norm", fold_batch_norm,
     "convolutions stand directly before their BatchNorm now"},
    {"fold-scale", fold_scale,
     "after fold-batch-norm, which leaves scales where there was no convolution"},
    {"remove-dead", remove_dead,
     "last: what the others left without users"},
};

constexpr Pass kFusion[] = {
    {"recognize-functions", recognize_functions,
     "first: a function spelt node by node can then follow as one activation"},
    {"fuse-focus", fuse_focus,
     "while the convolution is alone: what follows it does not matter"},
    {"fuse-bias", fuse_bias,
     "in an epilogue the bias comes before everything else"},
    {"fuse-residual", fuse_residual,
     "before the activation, which takes the sum"},
    {"fuse-activation", fuse_activation,
     "last part of an epilogue"},
    {"remove-dead", remove_dead,
     "last: values between fused nodes"},
};

constexpr Pass kTypes[] = {
    {"assign-types", assign_types,
     "first: what each node delivers follows from its precision"},
    {"insert-reformats", insert_reformats,
     "where a node is not fed what its precision asks for"},
    {"convert-constants", convert_constants,
     "weights in the type of the node that uses them, once the nodes' inputs are final"},
    {"remove-dead", remove_dead,
     "last: constants that were replaced by converted ones"},
};
// clang-format on

}  // namespace

std::span<const Pass> clean_up_passes() { return kCleanUp; }
std::span<const Pass> fusion_passes() { return kFusion; }
std::span<const Pass> type_passes() { return kTypes; }

void clean_up(ir::Graph& graph, const Observer& observer) { run(kCleanUp, graph, observer); }
void fuse(ir::Graph& graph, const Observer& observer) { run(kFusion, graph, observer); }
void fix_types(ir::Graph& graph, const Observer& observer,
               const std::function<void(ir::Graph&)>& settle) {
  const std::span<const Pass> passes = kTypes;
  run(passes.first(1), graph, observer);
  if (settle) settle(graph);
  run(passes.subspan(1), graph, observer);
}

}  // namespace dlaexec::passes
