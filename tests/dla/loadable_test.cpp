#include "dla/loadable.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/error.h"

namespace dlaexec::dla {
namespace {

using ir::DataType;
using ir::Format;

Cube make_cube(std::string name, const Nchw& dims, Place place) {
  Cube cube;
  cube.name = std::move(name);
  cube.dims = dims;
  cube.type = DataType::Int8;
  cube.format = Format::Chw32;
  cube.scale = 0.5f;
  cube.layout = layout_of(cube.format, cube.type, dims, Generation::Orin);
  cube.place = place;
  return cube;
}

/// One 3x3 convolution of 32 to 8 channels, then a 2x2 pooling.
Loadable two_operations() {
  Loadable loadable;
  loadable.name = "small";
  loadable.cubes = {make_cube("x", {1, 32, 4, 6}, {Region::Input, 0, 0}),
                    make_cube("c", {1, 8, 4, 6}, {Region::Local, 0, 0}),
                    make_cube("y", {1, 8, 2, 3}, {Region::Output, 0, 0})};
  loadable.inputs = {0};
  loadable.outputs = {2};
  loadable.pools = {0, size_bytes(loadable.cubes[1].layout, {1, 8, 4, 6}), 4096};
  loadable.weights = ir::Tensor::zeros(DataType::Int8, {8 * 32 * 9 + 16});

  ConvParameters conv;
  conv.kernel = {3, 3};
  conv.pad = {1, 1, 1, 1};
  conv.weights = {0, 8 * 32 * 9};
  conv.dense_weight_bytes = 8 * 32 * 9;
  SdpStage stage;
  stage.alu = SdpAlu::Sum;
  stage.alu_operand.constants = {8 * 32 * 9, 16};
  stage.alu_operand.extent = OperandExtent::PerChannel;
  stage.activation = SdpActivation::Relu;
  conv.sdp.stages = {stage};
  conv.sdp.output = {0, 3, 9};
  Operation first{"conv", {"conv", "relu"}, DataType::Int8, 0, 1, conv, {}};
  first.tiling.data_banks = first.tiling.weight_banks = 1;
  first.tiling.strips = {{0, 4, 0, 4}};
  first.tiling.kernels_per_pass = 8;
  first.tiling.traffic = {768, 2304, 0, 768};

  PdpParameters pool;
  pool.kernel = pool.stride = {2, 2};
  Operation second{"pool", {"pool"}, DataType::Int8, 1, 2, pool, {}};
  second.tiling.strips = {{0, 2, 0, 4}};
  loadable.operations = {first, second};
  return loadable;
}

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

std::string sentence_of_loading(const std::string& bytes) {
  try {
    deserialize(bytes_of(bytes));
  } catch (const Error& error) {
    return error.sentence();
  }
  return "";
}

std::string verdict(const Loadable& loadable) {
  try {
    verify(loadable);
  } catch (const Error& error) {
    return error.sentence();
  }
  return "";
}

TEST(Loadable, ComesBackFromItsBytes) {
  const Loadable loadable = two_operations();
  const std::string bytes = serialize(loadable);
  const Loadable back = deserialize(bytes_of(bytes));
  EXPECT_EQ(back.name, loadable.name);
  EXPECT_EQ(back.cubes, loadable.cubes);
  EXPECT_EQ(back.operations, loadable.operations);
  EXPECT_EQ(back.inputs, loadable.inputs);
  EXPECT_EQ(back.outputs, loadable.outputs);
  EXPECT_EQ(back.pools, loadable.pools);
  EXPECT_EQ(back.weights.count(), loadable.weights.count());
  EXPECT_EQ(serialize(back), bytes);
}

TEST(Loadable, PrintsALineForEachOperation) {
  EXPECT_EQ(print(two_operations()),
            "loadable small for orin: 2 operations, sram 0 B, local 768 B, global 4.0 KiB\n"
            "  input %x 1x32x4x6 i8 chw32 scale 0.5\n"
            "  output %y 1x8x2x3 i8 chw32 scale 0.5\n"
            "  #0 conv i8 [conv, relu] %x 1x32x4x6 input -> %c 1x8x4x6 local: 3x3 pad 1,1,1,1 "
            "[sum per channel, relu] [out 3 >> 9] | all-resident banks 1+1 | moves 3.8 KiB\n"
            "  #1 pdp i8 [pool] %c 1x8x4x6 local -> %y 1x8x2x3 output: max 2x2 stride 2x2 | moves "
            "0 B\n");
}

TEST(Loadable, OtherFilesAreToldApart) {
  EXPECT_EQ(sentence_of_loading("not one"),
            "these 7 bytes are not a DLA loadable; a plan is loaded with --loadEngine");
  EXPECT_EQ(sentence_of_loading(""),
            "these 0 bytes are not a DLA loadable; a plan is loaded with --loadEngine");
  const std::string bytes = serialize(two_operations());
  EXPECT_EQ(sentence_of_loading(bytes.substr(0, 40)),
            "the loadable is truncated: 40 bytes, its header alone takes 56");
}

TEST(Loadable, EveryTruncationAndEveryAlteredByteIsNoticed) {
  const std::string bytes = serialize(two_operations());
  for (size_t size = 0; size < bytes.size(); size += 7)
    EXPECT_NE(sentence_of_loading(bytes.substr(0, size)), "") << size;
  for (size_t at = 0; at < bytes.size(); ++at) {
    std::string altered = bytes;
    altered[at] = static_cast<char>(altered[at] ^ 0x10);
    const bool is_gap = sentence_of_loading(altered).empty();
    // Bytes between the aligned parts mean nothing and are covered by no checksum.
    if (is_gap) {
      EXPECT_EQ(bytes[at], 0) << at;
    }
  }
}

TEST(Loadable, WhatDoesNotFitTogetherIsRefused) {
  EXPECT_EQ(verdict(two_operations()), "");
  const auto broken = [](auto&& change) {
    Loadable loadable = two_operations();
    change(loadable);
    return verdict(loadable);
  };
  EXPECT_NE(broken([](Loadable& l) { l.operations[0].input = 7; }), "");
  EXPECT_NE(broken([](Loadable& l) { l.operations[0].output = -1; }), "");
  EXPECT_NE(broken([](Loadable& l) { l.cubes[1].place.offset = 64; }), "");
  EXPECT_NE(broken([](Loadable& l) { l.cubes[1].layout.line = int64_t{1} << 60; }), "");
  EXPECT_NE(broken([](Loadable& l) { l.cubes[2].place.binding = 3; }), "");
  EXPECT_NE(broken([](Loadable& l) { l.cubes[2].dims.h = 4; }), "");
  EXPECT_NE(broken([](Loadable& l) { l.inputs[0] = 2; }), "");
  EXPECT_NE(broken([](Loadable& l) { l.operations[0].tiling.strips[0].out_rows = 3; }), "");
  EXPECT_NE(broken([](Loadable& l) { l.operations.erase(l.operations.begin()); }), "");
  EXPECT_NE(broken([](Loadable& l) {
              std::get<ConvParameters>(l.operations[0].parameters).weights.offset = 32;
            }),
            "");
  EXPECT_NE(
      broken([](Loadable& l) { std::get<ConvParameters>(l.operations[0].parameters).groups = 3; }),
      "");
  EXPECT_NE(
      broken([](Loadable& l) { std::get<PdpParameters>(l.operations[1].parameters).stride.w = 0; }),
      "");
}

}  // namespace
}  // namespace dlaexec::dla
