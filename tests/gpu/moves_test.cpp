// Kernels that only move elements, on the host and on the device against ref/.
#include <gmock/gmock.h>

#include "on_device.h"
#include "on_host.h"

namespace dlaexec::gpu {
namespace {

const char* const kGraphs[] = {
    // gather: indices as constants and as data, in and out of the middle, negative ones.
    R"(graph @g(%x: f16[3,5,8], %t: f32[4,7]) {
  const %i = i64[2,2] [4, -1, 0, 2]
  const %j = i32[3] [3, 0, -4]
  %a = gather(%x, %i) {axis=1} : f16[3,2,2,8]
  %b = gather(%x, %i) {axis=2} : f16[3,5,2,2]
  %c = gather(%t, %j) {axis=0} : f32[3,7]
  return %a, %b, %c
})",
    R"(graph @g(%x: i64[3,4], %y: u8[5]) {
  const %i = i64[2,4] [0, 2, -1, 1, 1, 1, 0, -3]
  const %j = i64[3] [4, 0, 2]
  %a = gather_elements(%x, %i) {axis=0} : i64[2,4]
  %b = gather(%y, %j) {axis=0} : u8[3]
  return %a, %b
})",
    R"(graph @g(%x: f32[2,3,4], %z: f16[2,3,4]) {
  const %i = i64[2,2] [0, 2, 1, -1]
  const %j = i64[2,1] [2, 0]
  %a = gather_nd(%x, %i) {batch_dims=0} : f32[2,4]
  %b = gather_nd(%z, %j) {batch_dims=1} : f16[2,4]
  return %a, %b
})",
    R"(graph @g(%x: f32[3,4], %u: f32[2,4], %v: f32[2,4], %w: f32[3]) {
  const %i = i64[2,4] [0, 2, 1, 1, 2, 0, 0, -1]
  const %j = i64[2,1] [2, 0]
  const %k = i64[3,2] [0, 1, 2, 3, 1, -4]
  %a = scatter_elements(%x, %i, %u) {axis=0} : f32[3,4]
  %b = scatter_nd(%x, %j, %v) : f32[3,4]
  %c = scatter_nd(%x, %k, %w) : f32[3,4]
  return %a, %b, %c
})",
    // Scatters that combine: several updates for one element, in their order.
    R"(graph @g(%x: f32[3,4], %u: f32[5,2], %h: f16[3,4], %v: f16[5,4], %n: i64[3,4], %m: i64[5,4]) {
  const %i = i64[5,2] [0, 2, 1, 1, 0, 0, 0, -1, 2, 2]
  const %j = i32[5,1] [2, 0, 0, -1, 2]
  %a = scatter_elements(%x, %i, %u) {axis=0, reduction=add} : f32[3,4]
  %b = scatter_elements(%x, %i, %u) {axis=-2, reduction=max} : f32[3,4]
  %c = scatter_nd(%h, %j, %v) {reduction=add} : f16[3,4]
  %d = scatter_nd(%h, %j, %v) {reduction=mul} : f16[3,4]
  %e = scatter_nd(%n, %j, %m) {reduction=min} : i64[3,4]
  return %a, %b, %c, %d, %e
})",
    R"(graph @g(%x: f16[2,4,5]) {
  const %i = i64[2,3] [0, 5, -1, 2, 1, 9]
  const %n = i64[] [6]
  const %v = f32[2] [0.25, -2]
  const %k = i64[] [-1]
  %a = one_hot(%i, %n, %v) {axis=1} : f32[2,6,3]
  %b = trilu(%x) {upper=true} : f16[2,4,5]
  %c = trilu(%x, %k) {upper=false} : f16[2,4,5]
  return %a, %b, %c
})",
    // pads of every mode, cuts, axes, tiles.
    R"(graph @g(%x: f16[2,3,4], %y: i32[2,3], %q: i8[1,3,2,2] q(0.5)) {
  const %p = i64[6] [0, 1, 2, 1, -1, 3]
  const %v = f16[] [1.5]
  const %s = i64[4] [2, 1, 1, 2]
  const %b = i64[2] [1, 2]
  const %t = i64[2] [2, 3]
  const %a2 = i64[2] [-2, -1]
  const %c4 = i64[4] [1, 0, 0, 2]
  %a = pad(%x, %p, %v) {mode=constant} : f16[3,3,9]
  %c = pad(%x, %p) {mode=edge} : f16[3,3,9]
  %d = pad(%y, %s) {mode=reflect} : i32[5,6]
  %e = pad(%y, %s) {mode=wrap} : i32[5,6]
  %f = tile(%y, %t) : i32[4,9]
  %g = pad(%q, %c4, _, %a2) {mode=constant} : i8[1,3,3,4] q(0.5)
  return %a, %c, %d, %e, %f, %g
})",
    R"(graph @g(%x: f16[2,12,2,3], %y: f32[1,3,4,6]) {
  %a = depth_to_space(%x) {block=2, order=dcr} : f16[2,3,4,6]
  %b = depth_to_space(%x) {block=2, order=crd} : f16[2,3,4,6]
  %c = space_to_depth(%y) {block=2} : f32[1,12,2,3]
  return %a, %b, %c
})",
    // The k best with ties, positions of the best, both ways of running sums.
    R"(graph @g(%x: f16[2,70,3], %n: i64[2,9], %u: u8[3,5]) {
  const %k = i64[1] [4]
  const %two = i64[1] [2]
  const %a1 = i64[] [1]
  %a, %b = topk(%x, %k) {axis=1, largest=true, sorted=true} : f16[2,4,3], i64[2,4,3]
  %c, %d = topk(%n, %k) {axis=-1, largest=false, sorted=true} : i64[2,4], i64[2,4]
  %p, %q = topk(%u, %two) {axis=0, largest=true, sorted=true} : u8[2,5], i64[2,5]
  %e = arg_reduce(%x) {max=true, axis=1, keep_dims=true, last=false} : i64[2,1,3]
  %f = arg_reduce(%n) {max=false, axis=1, keep_dims=false, last=true} : i64[2]
  %g = cumsum(%n, %a1) {exclusive=true, reverse=false} : i64[2,9]
  %h = cumsum(%n, %a1) {exclusive=false, reverse=true} : i64[2,9]
  return %a, %b, %c, %d, %p, %q, %e, %f, %g, %h
})",
    // Integers of 64 bits through the ops that copy.
    R"(graph @g(%x: i64[2,3,4], %y: i64[2,1,4], %m: bool[2,2]) {
  const %s = i64[1] [1]
  const %e = i64[1] [4]
  const %a = i64[1] [2]
  const %st = i64[1] [2]
  %c = concat(%x, %y) {axis=1} : i64[2,4,4]
  %t = transpose(%c) {perm=[2,0,1]} : i64[4,2,4]
  %l = slice(%t, %s, %e, %a, %st) : i64[4,2,2]
  %n = transpose(%m) {perm=[1,0]} : bool[2,2]
  return %l, %n
})",
};

class MovesOf : public testing::TestWithParam<const char*> {};

TEST_P(MovesOf, AgreeWithRefOnTheHost) {
  if (!why_not_on_host().empty()) GTEST_SKIP() << why_not_on_host();
  expect_like_ref_on_host(GetParam(), 0);
}

TEST_P(MovesOf, AgreeWithRefOnDevice) {
  SKIP_WITHOUT_DEVICE();
  expect_like_ref(GetParam(), 0);
}

INSTANTIATE_TEST_SUITE_P(Graph, MovesOf, testing::ValuesIn(kGraphs),
                         [](const auto& graph) { return std::to_string(graph.index); });

const char* const kNorms[] = {
    R"(graph @g(%x: f16[2,6,5,3], %y: f32[1,3,40]) {
  const %s = f32[6] seed(1)
  const %h = f32[6] seed(2)
  const %t = f32[3] seed(3)
  const %u = f32[3] seed(4)
  %a = instance_norm(%x, %s, %h) {epsilon=0.001} : f16[2,6,5,3]
  %b = group_norm(%x, %s, %h) {groups=2} : f16[2,6,5,3]
  %c = instance_norm(%y, %t, %u) : f32[1,3,40]
  return %a, %b, %c
})",
    R"(graph @g(%x: f16[2,7,5,3], %y: f32[2,3,300]) {
  const %axis = i64[] [2]
  %a = lrn(%x) {size=4, alpha=0.1, beta=0.75, bias=2} : f16[2,7,5,3]
  %b = lp_norm(%y) {axis=-1, p=2} : f32[2,3,300]
  %c = lp_norm(%y) {axis=1, p=1} : f32[2,3,300]
  %d = cumsum(%y, %axis) {exclusive=false, reverse=false} : f32[2,3,300]
  return %a, %b, %c, %d
})",
};

const char* const kResizes[] = {
    // Images read between their pixels: every mode and padding, points outside among them.
    R"(graph @g(%x: f32[2,3,5,7], %g: f32[2,4,3,2], %h: f16[2,3,5,7]) {
  %a = grid_sample(%x, %g) {mode=linear, padding=zeros} : f32[2,3,4,3]
  %b = grid_sample(%x, %g) {mode=linear, padding=border, align_corners=true} : f32[2,3,4,3]
  %c = grid_sample(%h, %g) {mode=nearest, padding=reflection} : f16[2,3,4,3]
  %d = grid_sample(%x, %g) {mode=cubic, padding=reflection, align_corners=true} : f32[2,3,4,3]
  %e = grid_sample(%h, %g) {mode=cubic, padding=zeros} : f16[2,3,4,3]
  return %a, %b, %c, %d, %e
})",
    R"(graph @g(%x: f32[2,3,9,8]) {
  const %r = f32[4,4] [0, 0, 6, 6, 1.5, 2, 7, 8.5, -3, 1, 2, 2, 5, 5, 5, 5]
  const %i = i64[4] [0, 1, 1, 0]
  %a = roi_align(%x, %r, %i) {kind=average, output_height=2, output_width=3, sampling_ratio=2, spatial_scale=1} : f32[4,3,2,3]
  %b = roi_align(%x, %r, %i) {kind=max, output_height=2, output_width=2, spatial_scale=0.5} : f32[4,3,2,2]
  %c = roi_align(%x, %r, %i) {kind=average, coordinates=output_half_pixel, output_height=3, output_width=2} : f16[4,3,3,2]
  return %a, %b, %c
})",
    R"(graph @g(%x: f16[1,3,5,4], %y: f32[2,3,6]) {
  const %s = f32[4] [1, 1, 2, 1.5]
  const %z = i64[4] [1, 3, 3, 9]
  const %t = f32[3] [1, 1, 0.5]
  %a = resize(%x, _, %s) {mode=nearest, coordinates=asymmetric, nearest=floor} : f16[1,3,10,6]
  %b = resize(%x, _, _, %z) {mode=linear, coordinates=half_pixel} : f16[1,3,3,9]
  %c = resize(%x, _, _, %z) {mode=linear, coordinates=align_corners} : f16[1,3,3,9]
  %d = resize(%x, _, _, %z) {mode=cubic, coordinates=half_pixel, exclude_outside=true} : f16[1,3,3,9]
  %e = resize(%y, _, %t) {mode=linear, coordinates=half_pixel, antialias=true} : f32[2,3,3]
  return %a, %b, %c, %d, %e
})",
    // Between convolutions, as pixels with channels that pad.
    R"(graph @g(%x: f16[1,8,5,4]) {
  const %w = f16[3,8,1,1] seed(1)
  const %s = f32[4] [1, 1, 2, 2]
  const %p = i64[8] [0, 0, 1, 0, 0, 1, 2, 1]
  %a = conv(%x, %w) {stride=[1,1], pads=[0,0,0,0], dilation=[1,1], groups=1} : f16[1,3,5,4]
  %b = resize(%a, _, %s) {mode=linear, coordinates=half_pixel} : f16[1,3,10,8]
  %c = pad(%b, %p) {mode=constant} : f16[1,4,13,9]
  %d = pool(%c) {kind=max, kernel=[2,2], stride=[2,2], pads=[0,0,0,0], dilation=[1,1]} : f16[1,4,6,4]
  return %d
})",
};

class NormsOf : public testing::TestWithParam<const char*> {};

TEST_P(NormsOf, AgreeWithRefOnTheHost) {
  if (!why_not_on_host().empty()) GTEST_SKIP() << why_not_on_host();
  expect_like_ref_on_host(GetParam());
}

TEST_P(NormsOf, AgreeWithRefOnDevice) {
  SKIP_WITHOUT_DEVICE();
  expect_like_ref(GetParam());
}

INSTANTIATE_TEST_SUITE_P(Graph, NormsOf, testing::ValuesIn(kNorms),
                         [](const auto& graph) { return std::to_string(graph.index); });

class ResizesOf : public testing::TestWithParam<const char*> {};

TEST_P(ResizesOf, AgreeWithRefOnTheHost) {
  if (!why_not_on_host().empty()) GTEST_SKIP() << why_not_on_host();
  const std::string text = GetParam();
  if (text.find("conv(") != std::string::npos) GTEST_SKIP() << "tensor cores are on devices alone";
  expect_like_ref_on_host(text);
}

TEST_P(ResizesOf, AgreeWithRefOnDevice) {
  SKIP_WITHOUT_DEVICE();
  expect_like_ref(GetParam());
}

INSTANTIATE_TEST_SUITE_P(Graph, ResizesOf, testing::ValuesIn(kResizes),
                         [](const auto& graph) { return std::to_string(graph.index); });

/// Indices outside the data are held inside it: the device has nobody to tell.
TEST(Moves, IndicesOutsideTheDataAreHeldInside) {
  if (!why_not_on_host().empty()) GTEST_SKIP() << why_not_on_host();
  const ir::Graph graph = ir::parse(R"(graph @g(%x: f32[3], %i: i64[2]) {
  %a = gather(%x, %i) {axis=0} : f32[2]
  return %a
})");
  const std::vector<ir::Tensor> inputs = {ir::Tensor::of<float>({3}, {1, 2, 3}),
                                          ir::Tensor::of<int64_t>({2}, {99, -99})};
  const std::vector<ir::Tensor> got = run_on_host(lower(graph, target_of("sm_87")), inputs);
  EXPECT_THAT(got[0].to_floats(), testing::ElementsAre(3, 1));
}

}  // namespace
}  // namespace dlaexec::gpu
