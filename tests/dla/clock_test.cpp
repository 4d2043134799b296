#include "dla/clock.h"

#include <gtest/gtest.h>

#include "ir/dla_formats.h"

namespace dlaexec::dla {
namespace {

struct Layer {
  int64_t n = 1, c = 64, h = 56, w = 56, k = 64, side = 1, stride = 1, groups = 1;
  ir::DataType type = ir::DataType::Int8;
  bool image = false;
};

Cube feature_cube(std::string name, Nchw dims, ir::DataType type, Generation generation) {
  const ir::Format format = ir::cut_format(type);
  Cube cube;
  cube.name = std::move(name);
  cube.dims = dims;
  cube.type = type;
  cube.format = format;
  cube.scale = 1;
  cube.layout = layout_of(format, type, dims, generation);
  return cube;
}

/// From cube 0 to cube 1.
template <class Parameters>
Operation operation_of(ir::DataType precision, const Parameters& parameters) {
  Operation operation;
  operation.precision = precision;
  operation.input = 0;
  operation.output = 1;
  operation.parameters = parameters;
  return operation;
}

/// One strip, every cube moved once.
Tiling whole(const Loadable& loadable, int64_t kernels, int64_t weight_bytes) {
  const auto bytes = [&](const Cube& cube) { return size_bytes(cube.layout, cube.dims); };
  Tiling tiling;
  tiling.strips = {{0, loadable.cubes[1].dims.h, 0, loadable.cubes[0].dims.h}};
  tiling.kernels_per_pass = kernels;
  tiling.traffic = {bytes(loadable.cubes[0]), weight_bytes, 0, bytes(loadable.cubes[1])};
  return tiling;
}

/// A loadable of one convolution with "same" padding.
Loadable conv_loadable(const Layer& layer, Generation generation) {
  Loadable loadable;
  loadable.generation = generation;
  const int64_t pad = (layer.side - 1) / 2;
  const auto out = [&](int64_t size) { return (size + 2 * pad - layer.side) / layer.stride + 1; };
  const Nchw in_dims{layer.n, layer.c, layer.h, layer.w};
  const Nchw out_dims{layer.n, layer.k, out(layer.h), out(layer.w)};
  loadable.cubes = {feature_cube("in", in_dims, layer.type, generation),
                    feature_cube("out", out_dims, layer.type, generation)};
  ConvParameters conv;
  conv.kernel = {layer.side, layer.side};
  conv.stride = {layer.stride, layer.stride};
  conv.pad = {pad, pad, pad, pad};
  conv.groups = layer.groups;
  conv.image_input = layer.image;
  conv.dense_weight_bytes = layer.k * layer.c * layer.side * layer.side *
                            static_cast<int64_t>(ir::size_bytes(layer.type));
  Operation operation = operation_of(layer.type, conv);
  operation.tiling = whole(loadable, layer.k, conv.dense_weight_bytes);
  loadable.operations = {operation};
  return loadable;
}

ClockSettings settings_of(std::string_view board, std::string_view mode = "") {
  return clock_settings(platform(board), power_mode(platform(board), mode));
}

/// Documented rates alone: nothing lost between stripes and operations, memory without limits.
ClockSettings ideal(std::string_view board) {
  ClockSettings settings = settings_of(board);
  settings.dram_bytes_per_second = 1e15;
  settings.constants = {.dram_share = 1,
                        .dram_port_bytes = 1e9,
                        .gap_cycles = 0,
                        .stripe_cycles = 0,
                        .fp16_efficiency = 1};
  return settings;
}

OperationTime time_of(const Layer& layer, const ClockSettings& settings) {
  return estimate(conv_loadable(layer, settings.core.generation), settings).operations.front();
}

TEST(Clock, MacCyclesAreAtomsTimesKernelGroupsTimesOutputs) {
  const OperationTime time = time_of({.c = 256, .k = 128, .side = 3}, ideal("agx-xavier"));
  EXPECT_EQ(time.mac_cycles, 4 * 4 * 9 * 56 * 56);
  EXPECT_EQ(time.bound, Bound::Mac);
  EXPECT_EQ(time.macs, int64_t{256} * 128 * 9 * 56 * 56);
  EXPECT_NEAR(time.utilization, 1, 1e-9);
}

TEST(Clock, ImageInputFoldsTheKernelsWidthIntoChannelsAndJoinsItsRows) {
  const Layer stem{.c = 3, .h = 224, .w = 224, .k = 64, .side = 7, .stride = 2, .image = true};
  const OperationTime time = time_of(stem, ideal("agx-xavier"));
  EXPECT_EQ(time.mac_cycles, 4 * 2 * 112 * 112);  // 4 passes in place of 49, 2 kernel groups
}

TEST(Clock, OneOutputCostsAWholeStripe) {
  const OperationTime time = time_of({.c = 2048, .h = 1, .w = 1, .k = 1024}, ideal("agx-xavier"));
  EXPECT_EQ(time.mac_cycles, 32 * 32 * 16);
  EXPECT_NEAR(time.utilization, 1.0 / 16, 1e-9);
}

TEST(Clock, GroupedKernelsAreExpandedInSlicesOfCbufOnXavierAndCostLessOnOrin) {
  const Layer depthwise{.c = 512, .h = 14, .w = 14, .k = 512, .side = 3, .groups = 512};
  // 15 banks hold the dense 3x3 kernels of 224 channels: 4 atoms in place of 8.
  EXPECT_EQ(time_of(depthwise, ideal("agx-xavier")).mac_cycles, 4 * 16 * 9 * 14 * 14);
  const Layer small{.c = 128, .h = 14, .w = 14, .k = 128, .side = 3, .groups = 128};
  EXPECT_EQ(time_of(small, ideal("agx-xavier")).mac_cycles, 2 * 4 * 9 * 14 * 14);
  EXPECT_EQ(time_of(depthwise, ideal("agx-orin-64")).mac_cycles, 1 * 8 * 9 * 14 * 14);  // one pipe
  const Layer resnext{.c = 256, .h = 50, .w = 50, .k = 256, .side = 3, .groups = 32};
  EXPECT_EQ(time_of(resnext, ideal("agx-orin-64")).mac_cycles, 1 * 4 * 9 * 50 * 50 / 2);
}

TEST(Clock, SparseWeightsHelpDenseInt8OnOrinAlone) {
  const auto speedup = [](std::string_view board, const Layer& layer) {
    ClockSettings settings = ideal(board);
    const double dense = time_of(layer, settings).mac_cycles;
    settings.sparse_weights = true;
    return dense / time_of(layer, settings).mac_cycles;
  };
  EXPECT_EQ(speedup("agx-orin-64", {.side = 3}), 2);
  EXPECT_EQ(speedup("agx-xavier", {.side = 3}), 1);
  EXPECT_EQ(speedup("agx-orin-64", {.side = 3, .groups = 64}), 1);
  EXPECT_EQ(speedup("agx-orin-64", {.side = 3, .type = ir::DataType::Float16}), 1);
}

TEST(Clock, LessBandwidthMakesAnOperationMemoryBound) {
  const Layer layer{.c = 256, .k = 64};
  ClockSettings settings = ideal("agx-orin-64");
  settings.constants.dram_share = 0.25;
  settings.dram_bytes_per_second = 1e9;
  const OperationTime time = time_of(layer, settings);
  EXPECT_EQ(time.bound, Bound::Dram);
  const double bytes = 256 * 64 + (256 + 64) * 56 * 56;
  EXPECT_EQ(time.dram_bytes, static_cast<int64_t>(bytes));
  EXPECT_NEAR(time.seconds, bytes / 0.25e9, 1e-9);
}

TEST(Clock, WhatLiesInSramCostsNoDram) {
  const ClockSettings settings = settings_of("agx-orin-64");
  Loadable loadable = conv_loadable({.c = 256, .k = 64}, settings.core.generation);
  const OperationTime before = estimate(loadable, settings).operations.front();
  loadable.cubes[0].place.region = Region::Sram;
  const OperationTime after = estimate(loadable, settings).operations.front();
  EXPECT_EQ(after.sram_bytes, 256 * 56 * 56);
  EXPECT_EQ(before.dram_bytes - after.dram_bytes, after.sram_bytes);
  EXPECT_LT(after.cycles, before.cycles);
}

TEST(Clock, TwoBusyCoresGetLessDramEach) {
  ClockSettings settings = settings_of("agx-orin-64");
  const Layer layer{.c = 256, .k = 64};
  const double alone = time_of(layer, settings).dram_cycles;
  settings.busy_cores = 2;
  EXPECT_GT(time_of(layer, settings).dram_cycles, alone);
}

TEST(Clock, EachStripOfACutConvolutionIsAHardwareLayerWithAGap) {
  const ClockSettings settings = settings_of("agx-orin-64");
  Loadable loadable = conv_loadable({.side = 3}, settings.core.generation);
  loadable.operations[0].tiling.strips = {{0, 20, 0, 21}, {20, 20, 19, 22}, {40, 16, 39, 17}};
  const int64_t strips = 3;
  const OperationTime time = estimate(loadable, settings).operations[0];
  EXPECT_NEAR(time.gap_cycles, settings.constants.gap_cycles * static_cast<double>(strips), 1e-6);
}

TEST(Clock, PoolingRunsAtTheUnitsRate) {
  const ClockSettings settings = ideal("agx-xavier");
  Loadable loadable;
  loadable.generation = settings.core.generation;
  loadable.cubes = {
      feature_cube("in", {1, 64, 112, 112}, ir::DataType::Int8, settings.core.generation),
      feature_cube("out", {1, 64, 56, 56}, ir::DataType::Int8, settings.core.generation)};
  Operation operation = operation_of(ir::DataType::Int8, PdpParameters{});
  operation.tiling = whole(loadable, 64, 0);
  loadable.operations = {operation};
  const OperationTime time = estimate(loadable, settings).operations[0];
  EXPECT_EQ(time.bound, Bound::Unit);
  EXPECT_EQ(time.cycles, 64 * 112 * 112 / 8);
}

TEST(Clock, AFasterClockOnlyHelpsWhatTheClockBounds) {
  ClockSettings fast = settings_of("agx-orin-64");
  ClockSettings slow = fast;
  slow.clock_hz /= 2;
  const auto ratio = [&](const Layer& layer) {
    return time_of(layer, slow).seconds / time_of(layer, fast).seconds;
  };
  EXPECT_NEAR(ratio({.c = 512, .h = 28, .w = 28, .k = 512, .side = 3}), 2, 1e-6);
  EXPECT_LT(ratio({.c = 256, .k = 64}), 2);
}

TEST(Clock, ALoadablesTimeIsItsStartAndTheSumOfItsOperations) {
  const ClockSettings settings = settings_of("agx-xavier", "15W");
  Loadable loadable = conv_loadable({.side = 3}, settings.core.generation);
  loadable.operations.push_back(loadable.operations.front());
  const LoadableTime time = estimate(loadable, settings);
  ASSERT_EQ(time.operations.size(), 2u);
  EXPECT_NEAR(time.seconds, time.start_seconds + 2 * time.operations[0].seconds, 1e-12);
}

TEST(Clock, TimesCarryTheErrorOfTheirGenerationAndPrecision) {
  const auto error = [](std::string_view board, ir::DataType type) {
    const ClockSettings settings = settings_of(board);
    return estimate(conv_loadable({.type = type}, settings.core.generation), settings).error;
  };
  EXPECT_EQ(error("agx-xavier", ir::DataType::Float16),
            stated_error(Generation::Xavier, ir::DataType::Float16));
  EXPECT_EQ(error("agx-orin-64", ir::DataType::Int8),
            stated_error(Generation::Orin, ir::DataType::Int8));
  EXPECT_FALSE(error("agx-orin-64", ir::DataType::Float16).has_value());
  EXPECT_EQ(error_text(0.05), "+-5 %");
  EXPECT_EQ(error_text(std::nullopt), "error unknown: calibrated on one network");
}

TEST(Clock, EveryBoundHasAdvice) {
  for (const Bound bound : {Bound::Mac, Bound::Unit, Bound::Dram, Bound::Sram, Bound::Gap})
    EXPECT_FALSE(advice(bound).empty()) << ir::text(bound);
}

}  // namespace
}  // namespace dlaexec::dla
