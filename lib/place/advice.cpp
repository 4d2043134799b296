#include "place/advice.h"

#include "dla/cbuf.h"
#include "dla/layer_facts.h"

namespace dlaexec::place {
namespace {

using namespace ir;

struct AdviceRow {
  std::string_view rule;
  std::string_view text;
};

// The rules whose answer is the same for every layer.
constexpr AdviceRow kAdvice[] = {
    {"general.precision",
     "allow it a type that the DLA has: --fp16, or --int8 with ranges for its tensors; "
     "--layerPrecisions"},
    {"general.static-shape", "fix the shape: --shapes with every dimension, min = opt = max"},
    {"general.batch", "build for a smaller batch and run it more often"},
    {"general.rank", "keep the tensor in NCHW with H = W = 1 until the network's end"},
    {"general.quantization", "let the Q/DQ layers become dynamic ranges: give --int8"},
    {"conv.kernel", "replace the kernel by several smaller ones, one after the other"},
    {"conv.dilation", "dilate less, and make up for it with one more layer"},
    {"conv.groups-hwc4", "take the input as dla_linear or chw16/chw32"},
    {"conv.hwc4-channels", "take the input as dla_linear or chw16/chw32"},
    {"conv.hwc4-type", "give the input the type that the convolution computes in"},
    {"conv.padding-kernel",
     "pad by less than the kernel and put the rest of the border into a Pad layer before, which "
     "stays on the GPU"},
    {"pool.window", "pool twice with smaller windows"},
    {"pool.count-padding", "export the average with count_include_pad=1, or without padding"},
    {"pool.scale", "give input and output the same range"},
    {"concat.scale", "give all inputs and the output the same range"},
    {"concat.axis", "concatenate channels; transpose before, on the GPU, if it has to be"},
    {"slice.target", "split the weights of the convolution before the slice into two convolutions"},
    {"slice.batch", "split the weights of the convolution before the slice into two convolutions"},
    {"slice.precision", "let the slice compute in FP16: --layerPrecisions"},
    {"softmax.precision", "let the softmax compute in FP16: --fp16 beside --int8"},
    {"resize.scales", "export the resize with constant scales and not with sizes"},
    {"resize.rounding", "export the resize as asymmetric with floor, or linear with half_pixel"},
    {"activation.clip-low", "clip at 0 from below"},
    {"activation.clip-high", "clip between 1 and 127, or let a ReLU stand there"},
    {"activation.kind", "take an activation that the DLA has, and train again"},
    {"eltwise.kind", "write it with sums, products, minima and maxima"},
    {"reduce.kind", "reduce by average pooling over windows of at most 8 by 8, in steps"},
    {"shuffle.rank", "keep four dimensions until behind the last layer for the DLA"},
    {"fc.weights", "let the DLA do products with constant matrices alone; this one has none"},
    {"deconv.groups", "write the grouped deconvolution as one per group and a concatenation"},
    {"place.cap", "put layers between two segments on the DLA so that they become one"},
    {"place.user", "take the layer out of --layerDeviceTypes"},
};

std::string or_none(std::optional<int64_t> value) { return value ? format("{}", *value) : "none"; }

Advice cbuf_advice(const dla::CbufLayer& measures) {
  Advice advice;
  advice.id = "conv.cbuf";
  advice.text = format(
      "change one measure so that it fits the convolution buffer: at most {} columns (has {}), {} "
      "input channels (has {}) or dilation {} (has {})",
      or_none(largest_width(measures)), measures.width, or_none(largest_channels(measures)),
      measures.channels, or_none(largest_dilation(measures)), measures.dilation_h);
  return advice;
}

bool is_norm(Op op) { return op == Op::GroupNorm || op == Op::LayerNorm || op == Op::InstanceNorm; }

std::optional<Advice> advice_on(const Graph& graph, const Node& node, const Finding& finding) {
  if (finding.rule == "conv.cbuf") {
    const DataType precision = node.precision.value_or(DataType::Float16);
    const auto measures = dla::cbuf_layer({graph, node, precision});
    return measures ? std::optional(cbuf_advice(*measures)) : std::nullopt;
  }
  if (finding.rule == "general.op" && is_norm(node.op))
    return Advice{finding.rule, "train with BatchNorm, which folds into the convolution"};
  const std::string_view text = advice_on_rule(finding.rule);
  return text.empty() ? std::nullopt : std::optional(Advice{finding.rule, std::string(text)});
}

}  // namespace

std::string_view advice_on_rule(std::string_view rule) {
  for (const AdviceRow& row : kAdvice)
    if (row.rule == rule) return row.text;
  return {};
}

std::vector<Advice> advice_for(const Graph& graph, const Node& node,
                               const std::vector<Finding>& findings) {
  std::vector<Advice> all;
  for (const Finding& finding : findings)
    if (auto advice = advice_on(graph, node, finding)) all.push_back(std::move(*advice));
  return all;
}

}  // namespace dlaexec::place
