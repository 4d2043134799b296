// Each row of the rule table with a layer at its limit, which must pass, and one past it, which
// must be turned away with exactly that id among the reasons.
#include "dla/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "ir/infer.h"
#include "support/net.h"

namespace dlaexec::dla {
namespace {

using ir::ActivationKind;
using ir::DataType;
using ir::Dims;
using ir::ElementwiseKind;
using ir::kNoValue;
using ir::Op;
using ir::PoolKind;
using ir::Tensor;
using test::Net;
using Id = Net::Id;

constexpr Target kOrin{};
constexpr Target kOrinInt8{Generation::Orin, Edition::V10, DataType::Int8};
constexpr Target kOrin84{Generation::Orin, Edition::V8_4, DataType::Float16};
constexpr Target kOrin85{Generation::Orin, Edition::V8_5, DataType::Float16};
constexpr Target kOrin86{Generation::Orin, Edition::V8_6, DataType::Float16};
constexpr Target kXavier{Generation::Xavier, Edition::V8_5, DataType::Float16};

constexpr Target int8(Target target) {
  target.precision = DataType::Int8;
  return target;
}

/// Builds a network whose layer "l" is at the limit for one value of @p v and past it for another.
using Make = void (*)(Net& net, int64_t v);

struct Case {
  const char* id;
  Make make;
  int64_t at, past;
  Target target = kOrin;
  std::optional<Target> past_target = std::nullopt;

  friend void PrintTo(const Case& each, std::ostream* out) { *out << each.id; }
};

const Dims kImage{1, 8, 16, 16};

Id image(Net& net) { return net.input("x", kImage); }

Id typed_input(Net& net, std::string_view name, Dims dims, DataType type) {
  const Id id = net.input(name, std::move(dims));
  net.graph.value(id).type = type;
  return id;
}

Id hwc4_input(Net& net, int64_t channels, DataType type = DataType::Float16) {
  const Id id = typed_input(net, "x", {1, channels, 16, 16}, type);
  net.graph.value(id).format = ir::Format::DlaHwc4;
  return id;
}

Id ints(Net& net, std::string_view name, std::vector<int64_t> values) {
  const auto count = static_cast<int64_t>(values.size());
  return net.constant(name, Tensor::of<int64_t>({count}, values));
}

void set_range(Net& net, Id id, float range) {
  net.graph.value(id).quantization.scales = {range / 127};
}

ir::ConvAttributes conv3d() {
  ir::ConvAttributes attributes;
  attributes.stride = attributes.dilation = {1, 1, 1};
  attributes.pads = {0, 0, 0, 0, 0, 0};
  return attributes;
}

void resize(Net& net, std::vector<float> scales, ir::ResizeAttributes attributes = {}) {
  net.node("l", Op::Resize,
           {image(net), kNoValue, net.constant("scales", Tensor::of<float>({4}, scales))},
           attributes);
}

ir::ResizeAttributes linear() {
  ir::ResizeAttributes attributes;
  attributes.mode = ir::ResizeMode::Linear;
  return attributes;
}

void unary(Net& net, ir::UnaryKind kind) {
  ir::UnaryAttributes attributes;
  attributes.kind = kind;
  net.node("l", Op::Unary, {image(net)}, attributes);
}

/// A comparison that a cast to FP16, or something else, uses.
void compare(Net& net, ElementwiseKind kind, bool cast_uses_it = true) {
  const Id result = net.eltwise("l", kind, net.input("a", kImage), net.input("b", kImage));
  if (cast_uses_it)
    net.output(net.node("cast", Op::Cast, {result}, ir::CastAttributes{DataType::Float16}));
  else
    net.output(result);
}

void cast_after(Net& net, ElementwiseKind kind, DataType to) {
  const Id result = net.eltwise("compare", kind, net.input("a", kImage), net.input("b", kImage));
  net.output(net.node("l", Op::Cast, {result}, ir::CastAttributes{to}));
}

void slice(Net& net, int64_t axis, int64_t step) {
  net.node("l", Op::Slice,
           {net.input("x", {2, 8, 16, 16}), ints(net, "starts", {0}), ints(net, "ends", {1}),
            ints(net, "axes", {axis}), ints(net, "steps", {step})});
}

void softmax(Net& net, Dims dims, int64_t axis, ir::SoftmaxKind kind = ir::SoftmaxKind::Softmax) {
  net.node("l", Op::Softmax, {net.input("x", std::move(dims))},
           ir::SoftmaxAttributes{kind, axis, false});
}

void reshape(Net& net, std::vector<int64_t> shape) {
  net.node("l", Op::Reshape, {image(net), ints(net, "shape", std::move(shape))});
}

void reduce(Net& net, ir::ReduceKind kind, ir::Ints axes = {2, 3}, bool keep = true) {
  net.node("l", Op::Reduce, {image(net)}, ir::ReduceAttributes{kind, std::move(axes), keep});
}

ir::PoolAttributes pool3d() {
  ir::PoolAttributes attributes;
  attributes.kernel = {2, 2, 2};
  attributes.stride = attributes.dilation = {1, 1, 1};
  attributes.pads = {0, 0, 0, 0, 0, 0};
  return attributes;
}

/// A 1x1 convolution with two of four weights zero.
void sparse_conv(Net& net, int64_t channels, int64_t kernels, DataType input = DataType::Float32) {
  std::vector<float> elements(static_cast<size_t>(channels * kernels), 0.5f);
  for (size_t i = 0; i < elements.size(); ++i)
    if (i % 4 < 2) elements[i] = 0;
  ir::ConvAttributes conv;
  conv.stride = conv.dilation = {1, 1};
  conv.pads = {0, 0, 0, 0};
  net.node("l", Op::Conv,
           {typed_input(net, "x", {1, channels, 4, 4}, input),
            net.constant("w", Tensor::of<float>({kernels, channels, 1, 1}, elements))},
           conv);
}

// clang-format off
const Case kCases[] = {
    // any layer
    {"general.op", [](Net& n, int64_t v) {
       if (v == 0) n.relu("l", image(n));
       else n.node("l", Op::CumSum, {image(n), n.constant("axis", Tensor::scalar<int64_t>(1))});
     }, 0, 1},
    {"general.quantization", [](Net& n, int64_t v) {
       if (v == 0) n.relu("l", image(n));
       else n.node("l", Op::Quantize, {image(n), n.constant("s", Tensor::scalar<float>(1))});
     }, 0, 1},
    {"general.precision", [](Net& n, int64_t) { n.relu("l", image(n)); }, 0, 0, kOrin,
     Target{Generation::Orin, Edition::V10, DataType::Float32}},
    {"general.type", [](Net& n, int64_t v) {
       const DataType type = v == 0 ? DataType::Float32 : DataType::Int32;
       n.add("l", typed_input(n, "a", kImage, type), typed_input(n, "b", kImage, type));
     }, 0, 1},
    {"general.static-shape", [](Net& n, int64_t v) {
       const Id x = image(n);
       if (v == 1) n.graph.value(x).shape[0] = ir::Dim("N");
       n.relu("l", x);
     }, 0, 1},
    {"general.rank", [](Net& n, int64_t v) { n.relu("l", n.input("x", Dims(size_t(v), 4))); }, 4, 3},
    {"general.batch", [](Net& n, int64_t v) { n.relu("l", n.input("x", {v, 2, 1, 1})); }, 4096, 4097},
    {"general.dimensions", [](Net& n, int64_t v) { n.relu("l", n.input("x", {1, 1, 2, v})); }, 8192, 8193},
    {"general.hwc4", [](Net& n, int64_t v) {
       if (v == 0) n.relu("l", n.input("x", {1, 4, 8, 8}));
       else n.relu("l", hwc4_input(n, 4));
     }, 0, 1},

    // convolution
    {"conv.spatial", [](Net& n, int64_t v) {
       if (v == 2) n.conv("l", image(n), 8, 3);
       else n.node("l", Op::Conv, {n.input("x", {1, 8, 4, 4, 4}), n.weights("w", {8, 8, 3, 3, 3})}, conv3d());
     }, 2, 3},
    {"conv.kernel", [](Net& n, int64_t v) { n.conv("l", n.input("x", {1, 8, 64, 64}), 8, v); }, 32, 33},
    {"conv.padding", [](Net& n, int64_t v) { n.conv("l", n.input("x", {1, 8, 64, 64}), 8, 32, {1, v}); }, 31, 32},
    {"conv.padding-kernel", [](Net& n, int64_t v) { n.conv("l", image(n), 8, 3, {1, v}); }, 2, 3},
    {"conv.stride", [](Net& n, int64_t v) { n.conv("l", image(n), 8, 3, {v}); }, 8, 9},
    {"conv.dilation", [](Net& n, int64_t v) { n.conv("l", n.input("x", {1, 8, 96, 96}), 8, 3, {1, 0, v}); }, 32, 33},
    {"conv.output-maps", [](Net& n, int64_t v) { n.conv("l", n.input("x", {1, 1, 4, 4}), v, 1); }, 8192, 8193},
    {"conv.input-channels", [](Net& n, int64_t v) { n.conv("l", n.input("x", {1, v, 2, 2}), 8, 1); }, 8192, 8193},
    {"conv.groups", [](Net& n, int64_t v) { n.conv("l", n.input("x", {1, v, 2, 2}), v, 1, {1, 0, 1, v}); }, 8192, 8193},
    {"conv.groups-hwc4", [](Net& n, int64_t v) { n.conv("l", hwc4_input(n, v), 16, 3, {1, 0, 1, v}); }, 4, 8},
    {"conv.hwc4-channels", [](Net& n, int64_t v) { n.conv("l", hwc4_input(n, v), 16, 3); }, 3, 2},
    {"conv.hwc4-type", [](Net& n, int64_t v) {
       n.conv("l", hwc4_input(n, 4, v == 0 ? DataType::Float16 : DataType::Float32), 16, 3);
     }, 0, 1},
    {"conv.weights", [](Net& n, int64_t v) {
       n.conv("template", image(n), 8, 3);
       const Id w = v == 0 ? n.weights("w", {8, 8, 3, 3}) : n.input("w", {8, 8, 3, 3});
       n.node("l", Op::Conv, {n.graph.inputs[0], w}, ir::Attributes(n.last().attributes));
     }, 0, 1},
    {"conv.cbuf", [](Net& n, int64_t v) { n.conv("l", n.input("x", {1, 512, 8, v}), 8, 3); }, 160, 161},
    {"conv.cbuf-group", [](Net& n, int64_t v) { n.conv("l", n.input("x", {1, 512, 8, v}), 512, 3); }, 117, 118},
    {"conv.sparsity", [](Net& n, int64_t v) { sparse_conv(n, v, 64); }, 128, 64, kOrinInt8},
    {"conv.sparsity", [](Net& n, int64_t v) {
       if (v == 0) n.conv("l", n.input("x", {1, 128, 4, 4}), 64, 1);
       else sparse_conv(n, 64, 64);
     }, 0, 1, int8(kXavier)},

    // fully connected
    {"fc.weights", [](Net& n, int64_t v) {
       const Id w = v == 0 ? n.weights("w", {8, 4}) : n.input("w", {8, 4});
       n.node("l", Op::MatMul, {n.input("x", {1, 8}), w});
     }, 0, 1},
    {"fc.rank", [](Net& n, int64_t v) {
       n.node("l", Op::MatMul, {n.input("x", Dims(size_t(v), 8)), n.weights("w", {8, 4})});
     }, 2, 3},
    {"fc.transpose", [](Net& n, int64_t v) {
       ir::GemmAttributes gemm;
       gemm.transpose_a = v == 1;
       n.node("l", Op::Gemm, {n.input("x", {8, 8}), n.weights("w", {8, 4})}, gemm);
     }, 0, 1},
    {"fc.bias", [](Net& n, int64_t v) {
       n.node("l", Op::Gemm, {n.input("x", {2, 8}), n.weights("w", {8, 4}), n.weights("b", {v, 4})});
     }, 1, 2},
    {"fc.input-channels", [](Net& n, int64_t v) { n.gemm("l", n.input("x", {1, v}), 2); }, 8192, 8193},
    {"fc.output-maps", [](Net& n, int64_t v) { n.gemm("l", n.input("x", {1, 2}), v); }, 8192, 8193},

    // deconvolution
    {"deconv.spatial", [](Net& n, int64_t v) {
       if (v == 2) { n.deconv("l", image(n), 8, 2, {2}); return; }
       ir::DeconvAttributes attributes;
       attributes.stride = attributes.dilation = {1, 1, 1};
       attributes.output_padding = {0, 0, 0};
       attributes.pads = {0, 0, 0, 0, 0, 0};
       n.node("l", Op::Deconv, {n.input("x", {1, 8, 4, 4, 4}), n.weights("w", {8, 8, 2, 2, 2})}, attributes);
     }, 2, 3},
    {"deconv.kernel", [](Net& n, int64_t v) { n.deconv("l", n.input("x", {1, 4, 2, 2}), 4, v, {2}); }, 32, 33},
    {"deconv.stride", [](Net& n, int64_t v) { n.deconv("l", n.input("x", {1, 4, 2, 2}), 4, 2, {v}); }, 32, 33},
    {"deconv.large-square", [](Net& n, int64_t v) { n.deconv("l", n.input("x", {1, 4, 2, 2}), 4, 23, {v}); }, 22, 23},
    {"deconv.padding", [](Net& n, int64_t v) { n.deconv("l", image(n), 8, 3, {2, v}); }, 0, 1},
    {"deconv.output-padding", [](Net& n, int64_t v) {
       n.deconv("template", image(n), 8, 3, {2});
       ir::DeconvAttributes attributes = n.last().get<ir::DeconvAttributes>();
       attributes.output_padding = {v, v};
       n.node("l", Op::Deconv, {n.graph.inputs[0], n.weights("w", {8, 8, 3, 3})}, attributes);
     }, 0, 1},
    {"deconv.groups", [](Net& n, int64_t v) { n.deconv("l", image(n), 8, 2, {2, 0, 1, v}); }, 1, 2},
    {"deconv.dilation", [](Net& n, int64_t v) { n.deconv("l", image(n), 8, 2, {2, 0, v}); }, 1, 2},
    {"deconv.input-channels", [](Net& n, int64_t v) { n.deconv("l", n.input("x", {1, v, 2, 2}), 2, 1); }, 8192, 8193},
    {"deconv.output-maps", [](Net& n, int64_t v) { n.deconv("l", n.input("x", {1, 2, 2, 2}), v, 1); }, 8192, 8193},
    {"deconv.weights", [](Net& n, int64_t v) {
       n.deconv("template", image(n), 8, 2, {2});
       const Id w = v == 0 ? n.weights("w", {8, 8, 2, 2}) : n.input("w", {8, 8, 2, 2});
       n.node("l", Op::Deconv, {n.graph.inputs[0], w}, ir::Attributes(n.last().attributes));
     }, 0, 1},

    // pooling
    {"pool.kind", [](Net& n, int64_t v) { n.pool("l", v == 0 ? PoolKind::Average : PoolKind::Lp, image(n), 2, 2); }, 0, 1},
    {"pool.spatial", [](Net& n, int64_t v) {
       if (v == 2) n.pool("l", PoolKind::Max, image(n), 2, 2);
       else n.node("l", Op::Pool, {n.input("x", {1, 8, 4, 4, 4})}, pool3d());
     }, 2, 3},
    {"pool.window", [](Net& n, int64_t v) { n.pool("l", PoolKind::Max, image(n), v, 2); }, 8, 9},
    {"pool.padding", [](Net& n, int64_t v) { n.pool("l", PoolKind::Max, image(n), 8, 2, v); }, 7, 8},
    {"pool.stride", [](Net& n, int64_t v) { n.pool("l", PoolKind::Max, n.input("x", {1, 8, 32, 32}), 8, v); }, 16, 17},
    {"pool.dilation", [](Net& n, int64_t v) {
       n.pool("l", PoolKind::Max, image(n), 2, 1);
       n.last().get<ir::PoolAttributes>().dilation = {v, v};
     }, 1, 2},
    {"pool.outputs", [](Net& n, int64_t v) {
       n.pool("l", PoolKind::Max, image(n), 2, 2);
       if (v == 2) n.last().outputs.push_back(n.graph.inputs[0]);
     }, 1, 2},
    {"pool.count-padding", [](Net& n, int64_t v) {
       n.pool("l", PoolKind::Average, image(n), 3, 1, 1);
       n.last().get<ir::PoolAttributes>().count_include_pad = v == 0;
     }, 0, 1},
    {"pool.scale", [](Net& n, int64_t v) {
       const Id y = n.pool("l", PoolKind::Max, image(n), 2, 2);
       set_range(n, n.graph.inputs[0], 4);
       set_range(n, y, v == 0 ? 4 : 2);
     }, 0, 1, kOrinInt8},

    // activation
    {"activation.kind", [](Net& n, int64_t v) {
       n.activation("l", image(n), v == 0 ? ActivationKind::Tanh : ActivationKind::Elu, 1);
     }, 0, 1},
    {"activation.clip-low", [](Net& n, int64_t v) {
       n.activation("l", image(n), ActivationKind::Clip, static_cast<float>(v), 6);
     }, 0, -1},
    {"activation.clip-high", [](Net& n, int64_t v) {
       n.activation("l", image(n), ActivationKind::Clip, 0, static_cast<float>(v));
     }, 127, 128},
    {"prelu.slope", [](Net& n, int64_t v) {
       n.node("l", Op::PRelu, {image(n), v == 0 ? n.weights("s", {8, 1, 1}) : n.input("s", {8, 1, 1})});
     }, 0, 1},

    // elementwise and comparison
    {"eltwise.kind", [](Net& n, int64_t v) {
       n.eltwise("l", v == 0 ? ElementwiseKind::Max : ElementwiseKind::Mod, n.input("a", kImage), n.input("b", kImage));
     }, 0, 1},
    {"eltwise.equal", [](Net& n, int64_t) { compare(n, ElementwiseKind::Equal); }, 0, 0, int8(kOrin85), int8(kOrin84)},
    {"eltwise.ordering", [](Net& n, int64_t) { compare(n, ElementwiseKind::Less); }, 0, 0, int8(kOrin86), int8(kOrin85)},
    {"eltwise.quotient", [](Net& n, int64_t) {
       n.eltwise("l", ElementwiseKind::Div, image(n), n.constant("c", Tensor::scalar<float>(2)));
     }, 0, 0, int8(kOrin86), int8(kOrin85)},
    {"eltwise.constant", [](Net& n, int64_t v) {
       const Id c = v == 0 ? n.constant("c", Tensor::scalar<float>(2)) : n.input("c", kImage);
       n.eltwise("l", ElementwiseKind::Div, image(n), c);
     }, 0, 1, kOrinInt8},
    {"eltwise.comparison-precision", [](Net& n, int64_t) { compare(n, ElementwiseKind::Greater); }, 0, 0, kOrinInt8, kOrin},
    {"eltwise.comparison-use", [](Net& n, int64_t v) { compare(n, ElementwiseKind::Greater, v == 0); }, 0, 1, kOrinInt8},
    {"eltwise.broadcast", [](Net& n, int64_t v) {
       n.add("l", n.input("a", {2, 8, 4, 4}), v == 0 ? n.input("b", {2, 8, 1, 1}) : n.input("b", {2, 1, 4, 4}));
     }, 0, 1},

    // scale, LRN, concatenation
    {"scale.constant", [](Net& n, int64_t v) {
       n.node("l", Op::Scale, {image(n), n.weights("a", {8}), v == 0 ? n.weights("b", {8}) : n.input("b", {8})});
     }, 0, 1},
    {"lrn.window", [](Net& n, int64_t v) {
       ir::LrnAttributes lrn;
       lrn.size = v;
       n.node("l", Op::Lrn, {image(n)}, lrn);
     }, 9, 11},
    {"concat.axis", [](Net& n, int64_t v) { n.concat("l", {n.input("a", kImage), n.input("b", kImage)}, v); }, 1, 2},
    {"concat.inputs", [](Net& n, int64_t v) {
       std::vector<Id> all(static_cast<size_t>(v), image(n));
       n.concat("l", all);
     }, 2, 1},
    {"concat.scale", [](Net& n, int64_t v) {
       const Id a = n.input("a", kImage), b = n.input("b", kImage);
       const Id y = n.concat("l", {a, b});
       for (const Id id : {a, b, y}) set_range(n, id, 4);
       if (v == 1) set_range(n, b, 2);
     }, 0, 1, kOrinInt8},

    // resize
    {"resize.scales", [](Net& n, int64_t v) {
       if (v == 0) resize(n, {1, 1, 2, 2});
       else n.node("l", Op::Resize, {image(n), kNoValue, kNoValue, ints(n, "sizes", {1, 8, 32, 32})});
     }, 0, 1},
    {"resize.outer", [](Net& n, int64_t v) { resize(n, {1, static_cast<float>(v), 2, 2}); }, 1, 2},
    {"resize.mode", [](Net& n, int64_t v) {
       ir::ResizeAttributes attributes;
       attributes.mode = v == 0 ? ir::ResizeMode::Linear : ir::ResizeMode::Cubic;
       resize(n, {1, 1, 2, 2}, attributes);
     }, 0, 1},
    {"resize.integer", [](Net& n, int64_t v) { resize(n, {1, 1, 2, v == 0 ? 2.0f : 2.5f}); }, 0, 1},
    {"resize.nearest", [](Net& n, int64_t v) { resize(n, {1, 1, 1, static_cast<float>(v)}); }, 32, 33},
    {"resize.linear", [](Net& n, int64_t v) { resize(n, {1, 1, 1, static_cast<float>(v)}, linear()); }, 4, 5},
    {"resize.rounding", [](Net& n, int64_t v) {
       ir::ResizeAttributes attributes;
       attributes.coordinates = ir::CoordinateMode::Asymmetric;
       attributes.nearest = v == 0 ? ir::NearestMode::Floor : ir::NearestMode::Ceil;
       resize(n, {1, 1, 2, 2}, attributes);
     }, 0, 1},
    {"resize.extras", [](Net& n, int64_t v) {
       ir::ResizeAttributes attributes = linear();
       attributes.antialias = v == 1;
       resize(n, {1, 1, 2, 2}, attributes);
     }, 0, 1},

    // unary
    {"unary.kind", [](Net& n, int64_t v) { unary(n, v == 0 ? ir::UnaryKind::Abs : ir::UnaryKind::Exp); }, 0, 1},
    {"unary.trigonometry", [](Net& n, int64_t) { unary(n, ir::UnaryKind::Sin); }, 0, 0, int8(kOrin86), int8(kOrin85)},
    {"unary.precision", [](Net& n, int64_t) { unary(n, ir::UnaryKind::Atan); }, 0, 0, kOrinInt8, kOrin},

    // slice, softmax, shuffle, reduce, cast
    {"slice.target", [](Net& n, int64_t) { slice(n, 1, 1); }, 0, 0, kOrin85, kOrin84},
    {"slice.rank", [](Net& n, int64_t v) {
       n.node("l", Op::Slice, {n.input("x", Dims(size_t(v), 8)), ints(n, "starts", {0}), ints(n, "ends", {4}), ints(n, "axes", {1})});
     }, 4, 3},
    {"slice.precision", [](Net& n, int64_t) { slice(n, 1, 1); }, 0, 0, kOrin86, int8(kOrin86)},
    {"slice.static", [](Net& n, int64_t v) {
       const Id starts = v == 0 ? ints(n, "starts", {0}) : typed_input(n, "starts", {1}, DataType::Int64);
       n.node("l", Op::Slice, {image(n), starts, ints(n, "ends", {1}), ints(n, "axes", {1})});
     }, 0, 1},
    {"slice.batch", [](Net& n, int64_t v) { slice(n, v, 1); }, 1, 0},
    {"slice.step", [](Net& n, int64_t v) { slice(n, 1, v); }, 1, 2},
    {"softmax.target", [](Net& n, int64_t) { softmax(n, {1, 10, 1, 1}, 1); }, 0, 0, kOrin84, kXavier},
    {"softmax.kind", [](Net& n, int64_t v) {
       softmax(n, {1, 10, 1, 1}, 1, v == 0 ? ir::SoftmaxKind::Softmax : ir::SoftmaxKind::LogSoftmax);
     }, 0, 1},
    {"softmax.axis", [](Net& n, int64_t v) { softmax(n, {4, 10, 1, 1}, v); }, 1, 0},
    {"softmax.batch", [](Net& n, int64_t v) { softmax(n, {v, 10, 1, 1}, 1); }, 1, 2, kOrin84},
    {"softmax.other-dimensions", [](Net& n, int64_t v) { softmax(n, {1, 10, 1, v}, 1); }, 1, 2, kOrin84},
    {"softmax.precision", [](Net& n, int64_t) { softmax(n, {1, 10, 1, 1}, 1); }, 0, 0, kOrin, kOrinInt8},
    {"softmax.accurate", [](Net& n, int64_t v) { softmax(n, {1, v, 1, 1}, 1); }, 8192, 8193},
    {"softmax.optimized", [](Net& n, int64_t v) { softmax(n, {1, v, 1, 2}, 1); }, 1024, 1025},
    {"shuffle.target", [](Net& n, int64_t) { reshape(n, {1, 16, 8, 16}); }, 0, 0, kOrin85, kOrin84},
    {"shuffle.rank", [](Net& n, int64_t v) {
       reshape(n, v == 4 ? std::vector<int64_t>{1, 16, 8, 16} : std::vector<int64_t>{1, 128, 16});
     }, 4, 3},
    {"shuffle.batch", [](Net& n, int64_t v) {
       n.node("l", Op::Transpose, {image(n)},
              ir::TransposeAttributes{v == 0 ? ir::Ints{0, 2, 1, 3} : ir::Ints{1, 0, 2, 3}});
     }, 0, 1},
    {"shuffle.neighbour", [](Net& n, int64_t v) {
       reshape(n, {1, 16, 8, 16});
       const Id y = n.last().outputs[0];
       if (v == 1) n.concat("joined", {y, y});
     }, 0, 1},
    {"reduce.kind", [](Net& n, int64_t v) { reduce(n, v == 0 ? ir::ReduceKind::Max : ir::ReduceKind::Mean); }, 0, 1},
    {"reduce.kind", [](Net& n, int64_t v) {
       if (v == 0) n.conv("l", image(n), 8, 3);
       else reduce(n, ir::ReduceKind::Mean);
     }, 0, 1, kXavier},
    {"reduce.target", [](Net& n, int64_t) { reduce(n, ir::ReduceKind::Max); }, 0, 0, kOrin86, kOrin85},
    {"reduce.axes", [](Net& n, int64_t v) { reduce(n, ir::ReduceKind::Max, {v}); }, 1, 0},
    {"reduce.dimensions", [](Net& n, int64_t v) { reduce(n, ir::ReduceKind::Max, {2}, v == 0); }, 0, 1},
    {"cast.target", [](Net& n, int64_t) { cast_after(n, ElementwiseKind::Equal, DataType::Float16); }, 0, 0,
     int8(kOrin85), int8(kOrin84)},
    {"cast.comparison", [](Net& n, int64_t v) {
       cast_after(n, ElementwiseKind::Equal, v == 0 ? DataType::Float16 : DataType::Int32);
     }, 0, 1, kOrinInt8},
};
// clang-format on

/// What stands against the layer "l".
std::vector<ir::Finding> findings_for(const Case& each, int64_t value, const Target& target) {
  Net net;
  each.make(net, value);
  for (const ir::Node& node : net.graph.nodes)
    if (node.name == "l") return check(net.graph, node, target);
  ADD_FAILURE() << each.id << " has no layer l";
  return {};
}

bool names(const std::vector<ir::Finding>& findings, std::string_view id) {
  return std::any_of(findings.begin(), findings.end(),
                     [&](const ir::Finding& finding) { return finding.rule == id; });
}

std::string all_of(const std::vector<ir::Finding>& findings) {
  return join(findings, "\n", [](const ir::Finding& finding) { return finding.sentence(); });
}

class RuleRowTest : public testing::TestWithParam<Case> {};

TEST_P(RuleRowTest, AcceptsALayerAtItsLimit) {
  const Case& each = GetParam();
  const std::vector<ir::Finding> findings = findings_for(each, each.at, each.target);
  EXPECT_FALSE(ir::refuses(findings)) << all_of(findings);
  EXPECT_FALSE(names(findings, each.id)) << all_of(findings);
}

TEST_P(RuleRowTest, NamesALayerPastItsLimit) {
  const Case& each = GetParam();
  const std::vector<ir::Finding> findings =
      findings_for(each, each.past, each.past_target.value_or(each.target));
  EXPECT_TRUE(names(findings, each.id)) << all_of(findings);
  for (const ir::Finding& finding : findings) {
    EXPECT_FALSE(finding.value.empty()) << finding.rule;
    EXPECT_FALSE(finding.log.empty()) << finding.rule;
  }
}

INSTANTIATE_TEST_SUITE_P(Table, RuleRowTest, testing::ValuesIn(kCases), [](const auto& row) {
  std::string name = format("{}_{}", row.param.id, ir::text(row.param.target.generation));
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
});

/// The case for a row: of its id, past its limit on a target where the row holds.
const Case* case_for(const RuleRow& row) {
  for (const Case& each : kCases) {
    const Target target = each.past_target.value_or(each.target);
    if (row.rule.id == each.id && row.on.holds_on(target.generation, target.edition)) return &each;
  }
  return nullptr;
}

TEST(RuleTable, HasAPairOfLayersForEveryRow) {
  for (const RuleRow& row : rule_table()) {
    const bool of_network = row.rule.ops.is_empty();  // placement tests those
    EXPECT_TRUE(of_network || case_for(row))
        << row.rule.id << " needs a layer at its limit and one past it";
  }
  std::set<std::string_view> rows;
  for (const RuleRow& row : rule_table()) rows.insert(row.rule.id);
  for (const Case& each : kCases)
    EXPECT_TRUE(rows.contains(each.id)) << each.id << " is no rule any more";
}

TEST(RuleTable, AppliesEachRowToTheGenerationsAndEditionsThatItNames) {
  constexpr Edition kEditions[] = {Edition::V8_4, Edition::V8_5, Edition::V8_6, Edition::V10};
  for (const Case& each : kCases)
    for (const Generation generation : {Generation::Xavier, Generation::Orin})
      for (const Edition edition : kEditions) {
        const Target target{generation, edition, each.past_target.value_or(each.target).precision};
        const auto rows = rule_table();
        const bool holds = std::any_of(rows.begin(), rows.end(), [&](const RuleRow& row) {
          return row.rule.id == each.id && row.on.holds_on(generation, edition);
        });
        EXPECT_EQ(names(findings_for(each, each.past, target), each.id), holds)
            << each.id << " on " << ir::text(generation) << " under " << ir::text(edition);
      }
}

TEST(RuleTable, NamesEverythingThatKeepsSparseWeightsFromBeingFaster) {
  Net net;
  sparse_conv(net, 64, 3);
  const std::vector<ir::Finding> findings = check(net.graph, net.last(), kOrin);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].value, "2:4 sparse weights with FP16, 64 channels, 3 kernels");
  EXPECT_FALSE(ir::refuses(findings)) << "such a layer is still taken";
}

TEST(RuleTable, NamesTheEditionsThatABoardNeverHad) {
  EXPECT_EQ(default_edition(Generation::Xavier), Edition::V8_5);
  EXPECT_EQ(default_edition(Generation::Orin), Edition::V10);
  EXPECT_TRUE(is_known(Generation::Xavier, Edition::V8_4));
  EXPECT_FALSE(is_known(Generation::Xavier, Edition::V8_6));
  EXPECT_TRUE(is_known(Generation::Orin, Edition::V8_4));
}

TEST(RuleTable, ReportsEveryBrokenRuleAndNotTheFirstAlone) {
  Net net;
  net.conv("l", net.input("x", {1, 8, 1100, 1100}), 8, 33, {9, 0, 33});
  const std::vector<ir::Finding> findings = check(net.graph, net.last(), kOrin);
  for (const char* id : {"conv.kernel", "conv.stride", "conv.dilation", "conv.cbuf"})
    EXPECT_TRUE(names(findings, id)) << id;
}

TEST(RuleTable, SaysWhatWasFoundAndWhatIsAllowed) {
  Net net;
  net.conv("l", net.input("x", {1, 8, 64, 64}), 8, 33);
  const std::vector<ir::Finding> findings = check(net.graph, net.last(), kOrin);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].sentence(),
            "needs kernel in [1, 32], has 33x33. The DLA convolves with kernels of at most 32 by "
            "32. [conv.kernel]");
}

TEST(RuleTable, ShowsTheBankArithmetic) {
  Net net;
  net.conv("l", net.input("x", {1, 1024, 8, 128}), 8, 3);
  const std::vector<ir::Finding> findings = check(net.graph, net.last(), kOrin);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_THAT(findings[0].value, testing::HasSubstr("1 + 24 = 25"));
}

TEST(RuleTable, SpeaksInTheWordsThatLogsAreSearchedFor) {
  Net net;
  net.global_average("l", image(net));
  const std::vector<ir::Finding> reduce = check(net.graph, net.last(), kOrin);
  ASSERT_EQ(reduce.size(), 1u);
  EXPECT_EQ(reduce[0].log, "DLA cores do not support AVG Reduce operation.");
  net.eltwise("div", ElementwiseKind::Div, image(net), image(net));
  const std::vector<ir::Finding> div = check(net.graph, net.last(), kOrin85);
  ASSERT_EQ(div.size(), 1u);
  EXPECT_EQ(div[0].log, "DLA cores do not support DIV ElementWise operation.");
}

TEST(RuleTable, TakesTheLongDeconvolutionForms) {
  const auto refused = [](int64_t rows, int64_t columns) {
    Net net;
    net.deconv("template", net.input("x", {1, 4, 2, 2}), 4, 2, {2});
    net.node("l", Op::Deconv, {net.graph.inputs[0], net.weights("w", {4, 4, rows, columns})},
             ir::Attributes(net.last().attributes));
    return names(check(net.graph, net.last(), kOrin), "deconv.kernel");
  };
  for (const int64_t side : {64, 96, 128}) {
    EXPECT_FALSE(refused(1, side));
    EXPECT_FALSE(refused(side, 1));
    EXPECT_TRUE(refused(2, side));
    EXPECT_TRUE(refused(1, side + 1));
  }
}

TEST(RuleTable, CapsLoadablesByEdition) {
  EXPECT_EQ(loadable_cap(Generation::Xavier, Edition::V8_4), 4);
  EXPECT_EQ(loadable_cap(Generation::Orin, Edition::V8_4), 4);
  EXPECT_EQ(loadable_cap(Generation::Xavier, Edition::V8_5), 16);
  EXPECT_EQ(loadable_cap(Generation::Orin, Edition::V10), 16);
}

TEST(RuleTable, TurnsNothingAwayThatAnOlderEditionAccepts) {
  // Newer editions only add layers; the one exception is the limit on input channels.
  for (const Case& each : kCases) {
    if (std::string_view(each.id) == "conv.input-channels") continue;
    Target target = each.target;
    bool accepted_before = false;
    for (const Edition edition : {Edition::V8_4, Edition::V8_5, Edition::V8_6, Edition::V10}) {
      target.edition = edition;
      const bool accepted = !ir::refuses(findings_for(each, each.at, target));
      EXPECT_TRUE(accepted || !accepted_before) << each.id << " " << ir::text(edition);
      accepted_before = accepted;
    }
  }
}

}  // namespace
}  // namespace dlaexec::dla
