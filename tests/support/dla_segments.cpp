#include "support/dla_segments.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "base/format.h"
#include "ir/text.h"
#include "ref/evaluate.h"

namespace dlaexec::test {

using dla::compile, dla::core::Core, dla::default_pools, dla::Generation, dla::Hw, dla::Loadable;
namespace {

double largest_difference(const ir::Tensor& got, const ir::Tensor& wanted) {
  if (got.count() != wanted.count()) return INFINITY;
  const std::vector<float> a = got.to_floats();
  const std::vector<float> b = wanted.to_floats();
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double unit = got.type() == ir::DataType::Int8
                            ? 1.0
                            : std::max(1.0, std::fabs(static_cast<double>(b[i])));
    const double difference = std::fabs(static_cast<double>(a[i]) - b[i]) / unit;
    if (std::isnan(difference)) return INFINITY;
    largest = std::max(largest, difference);
  }
  return largest;
}

}  // namespace

std::optional<dla::Refusal> refusal_of(const ir::Graph& segment,
                                       const dla::CompileOptions& options) {
  try {
    compile(segment, options);
    return std::nullopt;
  } catch (const dla::Refusal& refusal) {
    return refusal;
  }
}

Loadable compiled(const ir::Graph& segment, Generation generation) {
  return compile(segment, {generation, default_pools(generation)});
}

std::vector<ir::Tensor> seeded_inputs(const ir::Graph& segment, uint64_t seed) {
  std::vector<ir::Tensor> inputs;
  for (const ir::ValueId id : segment.inputs) {
    const ir::Value& value = segment.value(id);
    ir::Tensor tensor = ir::seeded(value.type, ir::dims_of(value.shape), seed++);
    if (value.type == ir::DataType::Float16)
      for (Half& half : tensor.mutable_as<Half>()) half = Half(2 * static_cast<float>(half));
    inputs.push_back(tensor);
  }
  return inputs;
}

std::vector<ir::Tensor> run_dla(const Loadable& loadable, const std::vector<ir::Tensor>& inputs,
                                dla::core::Isa isa) {
  ThreadPool threads(2);
  return Core(loadable, threads, isa).run(inputs);
}

double difference_from_ref(const ir::Graph& segment, Generation generation, uint64_t seed) {
  const std::vector<ir::Tensor> inputs = seeded_inputs(segment, seed);
  const std::vector<ir::Tensor> got = run_dla(compiled(segment, generation), inputs);
  const std::vector<ir::Tensor> wanted = ref::run(segment, inputs);
  double largest = 0;
  for (size_t i = 0; i < got.size(); ++i)
    largest = std::max(largest, largest_difference(got[i], wanted[i]));
  return largest;
}

ir::Graph conv_segment(const ConvCase& conv, ir::DataType type) {
  const bool is_int8 = type == ir::DataType::Int8;
  const Hw reach{(conv.kernel.h - 1) * conv.dilation.h + 1,
                 (conv.kernel.w - 1) * conv.dilation.w + 1};
  const int64_t p = (conv.h + conv.pad.top + conv.pad.bottom - reach.h) / conv.stride.h + 1;
  const int64_t q = (conv.w + conv.pad.left + conv.pad.right - reach.w) / conv.stride.w + 1;
  const int64_t taps = conv.c / conv.groups * conv.kernel.h * conv.kernel.w;
  const std::string name(ir::text(type));
  // Scales as a calibration would choose them: sums grow with the square root of their length.
  const double out_scale =
      conv.scale * 0.02 * 0.01 * 127 * 127 * std::sqrt(static_cast<double>(taps)) / 127;
  std::string scales;
  for (int64_t k = 0; k < conv.k; ++k)
    scales += format(", {}", 0.01 * (0.25 + 0.75 * static_cast<double>(k % 7) / 6));
  const std::string x = is_int8 ? "q(0.02)" : "";
  const std::string w = is_int8 ? format("q(axis=0{})", scales) : "";
  const std::string y = is_int8 ? format("q({})", out_scale) : "";
  const std::string out_dims = format("{}[{},{},{},{}]", name, conv.n, conv.k, p, q);
  std::string text =
      format("graph @g(%x: {}[{},{},{},{}] {}", name, conv.n, conv.c, conv.h, conv.w, x);
  if (conv.has_residual)
    text += format(", %r: {} {}", out_dims, is_int8 ? format("q({})", out_scale * 0.9) : "");
  text += format(") {{\n  const %w = {}[{},{},{},{}] {} seed(11)\n", name, conv.k,
                 conv.c / conv.groups, conv.kernel.h, conv.kernel.w, w);
  if (conv.has_bias) text += format("  const %b = f32[{}] seed(12)\n", conv.k);
  text += format(
      "  %y = conv(%x, %w{}{}) {{stride=[{},{}], pads=[{},{},{},{}], dilation=[{},{}], groups={}, "
      "residual={}{}}} : {} {}\n  return %y\n}}\n",
      conv.has_bias       ? ", %b"
      : conv.has_residual ? ", _"
                          : "",
      conv.has_residual ? ", %r" : "", conv.stride.h, conv.stride.w, conv.pad.top, conv.pad.left,
      conv.pad.bottom, conv.pad.right, conv.dilation.h, conv.dilation.w, conv.groups,
      conv.has_residual, conv.epilogue, out_dims, y);
  return ir::parse(text);
}

ConvCase random_conv(uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto pick = [&](int64_t low, int64_t high) {
    return low + static_cast<int64_t>(random() % static_cast<uint64_t>(high - low + 1));
  };
  ConvCase conv;
  conv.n = pick(1, 2);
  conv.groups = pick(0, 3) == 0 ? pick(2, 5) : 1;
  const int64_t group_channels = pick(0, 2) == 0 ? pick(1, 4) : pick(1, 70);
  const int64_t group_kernels = pick(0, 2) == 0 ? pick(1, 4) : pick(1, 70);
  conv.c = conv.groups * group_channels;
  conv.k = conv.groups * group_kernels;
  if (conv.groups > 1 && pick(0, 1) == 0) conv.c = conv.k = conv.groups = pick(2, 70);
  conv.kernel = {pick(1, 5), pick(1, 5)};
  conv.stride = {pick(1, 3), pick(1, 3)};
  conv.dilation = {pick(1, 2), pick(1, 2)};
  const Hw reach{(conv.kernel.h - 1) * conv.dilation.h + 1,
                 (conv.kernel.w - 1) * conv.dilation.w + 1};
  conv.pad = {pick(0, conv.kernel.h - 1), pick(0, conv.kernel.w - 1), pick(0, conv.kernel.h - 1),
              pick(0, conv.kernel.w - 1)};
  conv.h = reach.h + pick(0, 12);
  conv.w = reach.w + pick(0, 33);
  const std::string activations[] = {"", ", activation=relu", ", activation=clip, alpha=0, beta=3",
                                     ", activation=leaky_relu, alpha=0.1"};
  conv.epilogue = activations[pick(0, 3)];
  conv.has_bias = pick(0, 3) != 0;
  conv.has_residual = pick(0, 2) == 0;
  return conv;
}

}  // namespace dlaexec::test
