#include "gates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace dlaexec::cli {
namespace {

using report::Outcome;
using testing::HasSubstr;

plan::Layer layer(const std::string& name, ir::Device device) {
  plan::Layer layer;
  layer.name = name;
  layer.device = device;
  layer.step = "step";
  return layer;
}

/// Two convolutions on the DLA, a pool on the GPU that is there because of its window.
plan::Plan mixed_plan() {
  plan::Plan plan;
  plan.metadata.layers = {layer("conv1", ir::Device::Dla), layer("conv2", ir::Device::Dla),
                          layer("pool", ir::Device::Gpu)};
  ir::Finding finding;
  finding.rule = "pool.window";
  finding.value = "9x9";
  finding.limit = "window in [1, 8]";
  plan.metadata.layers.back().findings = {finding};
  return plan;
}

TEST(PlacementGates, CountLayersOnTheGpu) {
  const plan::Plan plan = mixed_plan();
  EXPECT_EQ(placement_gates(parse_arguments({"--maxGpuLayers=1"}), plan).at(0).outcome,
            Outcome::Passed);
  const report::Gate gate = placement_gates(parse_arguments({"--maxGpuLayers=0"}), plan).at(0);
  EXPECT_EQ(gate.outcome, Outcome::Failed);
  EXPECT_EQ(gate.sentence, "1 layer runs on the GPU, --maxGpuLayers allows 0");
  ASSERT_EQ(gate.culprits.size(), 1u);
  EXPECT_THAT(gate.culprits[0], HasSubstr("pool runs on the GPU"));
  EXPECT_THAT(gate.culprits[0], HasSubstr("pool.window"));
}

TEST(PlacementGates, RequiredLayersAreNamedWhenTheyLeftTheDla) {
  const plan::Plan plan = mixed_plan();
  const Gates gates =
      placement_gates(parse_arguments({"--requireDLA=conv*", "--requireDLA=*"}), plan);
  ASSERT_EQ(gates.size(), 2u);
  EXPECT_EQ(gates[0].outcome, Outcome::Passed);
  EXPECT_EQ(gates[1].outcome, Outcome::Failed);
  EXPECT_EQ(gates[1].sentence, "--requireDLA=*: 2 of 3 layers run on the DLA");
}

TEST(PlacementGates, APatternWithoutLayersFails) {
  const Gates gates = placement_gates(parse_arguments({"--requireDLA=stem*"}), mixed_plan());
  EXPECT_EQ(gates.at(0).outcome, Outcome::Failed);
  EXPECT_THAT(gates.at(0).sentence, HasSubstr("no layer has such a name"));
}

TEST(Conclude, ThrowsTheStatusOfTheGates) {
  const Gates open = {{"latency.baseline", Outcome::Inconclusive, "too noisy", {}}};
  const auto fault = [&](const Settings& settings) {
    try {
      conclude(settings, {open, std::nullopt, "net.onnx", 0});
    } catch (const Error& error) {
      return error.fault();
    }
    return Fault{};
  };
  EXPECT_EQ(fault(parse_arguments({})), Fault::Inconclusive);
  EXPECT_EQ(fault(parse_arguments({"--inconclusive=fail"})), Fault::Gate);
  EXPECT_EQ(fault(parse_arguments({"--inconclusive=pass"})), Fault{});
}

}  // namespace
}  // namespace dlaexec::cli
