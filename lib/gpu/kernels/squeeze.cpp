// Squeeze-and-excite as one launch of squeeze.cu.
#include <algorithm>
#include <cstring>

#include "gpu/families.h"
#include "gpu/groups.h"
#include "gpu/kernels/conv_problem.h"
#include "gpu/kernels/squeeze_params.h"
#include "gpu/kernels/window.h"

namespace dlaexec::gpu {
namespace {

using ir::DataType;
using ir::Op;

/// The nodes of one squeeze-and-excite, in order; the window may be missing.
struct Parts {
  const ir::Node *mean, *first, *second, *product;
  const ir::Node* window = nullptr;
};

/// A 1 x 1 convolution of one pixel with constant weights in half.
bool is_layer(const ir::Graph& graph, const ir::Node* node) {
  if (!node || node->op != Op::Conv) return false;
  const auto& a = node->get<ir::ConvAttributes>();
  const ir::Tensor* weights = graph.constant(*node, 1);
  if (!weights || weights->type() != DataType::Float16 || a.groups != 1 || a.residual) return false;
  if (node->inputs.size() > 2 && !graph.constant(*node, 2)) return false;
  const auto zero = [](int64_t pad) { return pad == 0; };
  return weights->rank() == 4 && weights->dims()[2] == 1 && weights->dims()[3] == 1 &&
         std::all_of(a.pads.begin(), a.pads.end(), zero) &&
         graph.value(node->outputs[0]).type == DataType::Float16;
}

/// The depthwise convolution that makes what only @p parts read; null when there is none that fits.
const ir::Node* window_before(const Links& links, const Parts& parts) {
  const ir::Graph& graph = links.graph();
  const ir::ValueId z = parts.mean->inputs[0];
  const ir::Node* node = links.maker(z);
  if (!node || node->op != Op::Conv || graph.is_output(z) || links.users(z).size() != 2)
    return nullptr;
  const auto& a = node->get<ir::ConvAttributes>();
  const ir::Tensor* weights = graph.constant(*node, 1);
  const int64_t channels = ir::dims_of(graph.value(z).shape)[1];
  if (!weights || weights->type() != DataType::Float16 || a.residual || a.groups != channels ||
      weights->dims()[0] != channels || weights->dims()[1] != 1 || weights->rank() != 4 ||
      graph.value(node->inputs[0]).type != DataType::Float16 ||
      ir::dims_of(graph.value(node->inputs[0]).shape)[1] != channels)
    return nullptr;
  if (node->inputs.size() > 2 && !graph.constant(*node, 2)) return nullptr;
  const int64_t taps = weights->dims()[2];
  const auto all = [](const ir::Ints& list, int64_t value) {
    return std::all_of(list.begin(), list.end(), [=](int64_t x) { return x == value; });
  };
  const int64_t stride = a.stride.empty() ? 1 : a.stride[0];
  if ((taps != 3 && taps != 5) || weights->dims()[3] != taps || stride < 1 || stride > 2 ||
      !all(a.stride, stride) || !all(a.dilation, 1))
    return nullptr;
  return node;
}

std::optional<Parts> parts_from(const Links& links, const ir::Node& mean) {
  const ir::Graph& graph = links.graph();
  if (mean.op != Op::Reduce) return std::nullopt;
  const auto& a = mean.get<ir::ReduceAttributes>();
  const ir::ValueId x = mean.inputs[0];
  if (a.kind != ir::ReduceKind::Mean || a.axes != ir::Ints{2, 3} || !a.keep_dims ||
      graph.value(x).shape.size() != 4 || graph.value(x).type != DataType::Float16)
    return std::nullopt;
  Parts parts{&mean, links.only_user(mean.outputs[0]), nullptr, nullptr};
  if (!is_layer(graph, parts.first)) return std::nullopt;
  parts.second = links.only_user(parts.first->outputs[0]);
  if (!is_layer(graph, parts.second)) return std::nullopt;
  const ir::ValueId gate = parts.second->outputs[0];
  parts.product = links.only_user(gate);
  if (!parts.product || parts.product->op != Op::Elementwise) return std::nullopt;
  const auto& product = parts.product->get<ir::ElementwiseAttributes>();
  const auto& in = parts.product->inputs;
  if (product.kind != ir::ElementwiseKind::Prod || product.activation != ir::ActivationKind::None ||
      in.size() != 2 || !((in[0] == x && in[1] == gate) || (in[1] == x && in[0] == gate)) ||
      graph.value(parts.product->outputs[0]).type != DataType::Float16)
    return std::nullopt;
  parts.window = window_before(links, parts);
  return parts;
}

/// How a cluster's blocks share an image: slices of its channels, bands of its rows.
struct Shares {
  int64_t blocks, vectors, slices, slice_vectors, image_bytes, shared_bytes;
};

/// @p dims of the image, @p hidden results of the first layer.
Shares shares_with(const ir::Dims& dims, int64_t hidden, int64_t blocks) {
  Shares shares{blocks, ceil_div(dims[1], 8), 1, 0, 0, 0};
  // Slices of the channels make the layers' work smaller; 64 bytes of a pixel stay together.
  while (shares.slices < blocks && shares.vectors / (shares.slices * 2) >= 4) shares.slices *= 2;
  shares.slice_vectors = ceil_div(shares.vectors, shares.slices);
  shares.image_bytes =
      shares.slice_vectors * ceil_div(dims[2], blocks / shares.slices) * dims[3] * 16;
  const int64_t layers = 2 * hidden * shares.slice_vectors * 16, bias = shares.slice_vectors * 32;
  shares.shared_bytes = shares.image_bytes + layers + blocks * hidden * 4 + bias;
  return shares;
}

/// One way to run a squeeze-and-excite.
struct Form {
  std::string tactic;
  Shares shares;
};

/// Those in one launch that @p target can run, the likely best first: clusters of 16 where few
/// images leave multiprocessors idle, or 8 would keep too much in each.
std::vector<Form> forms_of(const ir::Dims& dims, int64_t hidden, const Target& target) {
  constexpr int64_t kComfortable = 96 << 10;  // two blocks fit side by side
  constexpr int64_t kStatic = (kSqueezeThreads * 12 + kSqueezeHidden) * 4;
  const Shares eight = shares_with(dims, hidden, 8), sixteen = shares_with(dims, hidden, 16);
  std::vector<Form> forms = {{"cluster 8", eight}, {"cluster 16", sixteen}};
  if (dims[0] <= 4 || eight.shared_bytes > kComfortable) std::swap(forms[0], forms[1]);
  std::erase_if(forms, [&](const Form& form) {
    return form.shares.slice_vectors * 8 > kSqueezeThreads * 4 ||
           form.shares.shared_bytes + kStatic > target.shared_bytes;
  });
  return forms;
}

/// [hidden][channels padded] of a layer's weights; @p turned: they are [channels][hidden].
Place layer_weights(Lowering& lowering, const ir::Tensor& weights, int64_t padded, bool turned) {
  const int64_t rows = weights.dims()[0], columns = weights.dims()[1];
  const int64_t hidden = turned ? columns : rows, channels = turned ? rows : columns;
  return lowering.constant(hidden * padded * 2, [=] {
    std::vector<std::byte> made(static_cast<size_t>(hidden * padded * 2));
    for (int64_t s = 0; s < hidden; ++s)
      for (int64_t c = 0; c < channels; ++c) {
        const int64_t from = turned ? c * hidden + s : s * channels + c;
        std::memcpy(made.data() + (s * padded + c) * 2, weights.bytes().data() + from * 2, 2);
      }
    return made;
  });
}

Place layer_bias(Lowering& lowering, const ir::Node& node, int64_t padded) {
  std::vector<float> bias;
  if (const ir::Tensor* given = lowering.graph().constant(node, 2)) bias = given->to_floats();
  bias.resize(static_cast<size_t>(padded));
  return lowering.constant_floats(std::move(bias));
}

/// [taps][channels padded] of a depthwise convolution's weights.
Place window_weights(Lowering& lowering, const ir::Tensor& weights, int64_t padded) {
  const int64_t channels = weights.dims()[0], taps = weights.dims()[2] * weights.dims()[3];
  return lowering.constant(taps * padded * 2, [=] {
    std::vector<std::byte> made(static_cast<size_t>(taps * padded * 2));
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t tap = 0; tap < taps; ++tap)
        std::memcpy(made.data() + (tap * padded + c) * 2,
                    weights.bytes().data() + (c * taps + tap) * 2, 2);
    return made;
  });
}

double window_operations(const ir::Graph& graph, const ir::Node& window, const View& y) {
  const int64_t taps = graph.constant(window, 1)->count() / y.dims[1];
  return 2.0 * static_cast<double>(ir::volume(y.dims) * taps);
}

/// Pixels of a row that a thread computes together: what registers hold.
int run_of(int64_t taps, int64_t stride) { return stride == 1 ? 4 : taps == 3 ? 3 : 2; }

/// The window's template arguments.
std::string window_text(const Lowering& lowering, const ir::Node* window) {
  if (!window) return "None, 0, 1, 1";
  const auto& a = window->get<ir::ConvAttributes>();
  const int64_t taps = lowering.graph().constant(*window, 1)->dims()[2];
  const int64_t stride = window_of(a).stride[0];
  return format("{}, {}, {}, {}", device_name(a.activation), taps, stride, run_of(taps, stride));
}

/// The nodes of @p group.
Parts parts_of(const ir::Graph& graph, const Group& group) {
  const auto node = [&](size_t from_end) {
    return &graph.nodes[static_cast<size_t>(group.nodes[group.nodes.size() - from_end])];
  };
  return {node(4), node(3), node(2), node(1), group.nodes.size() > 4 ? node(5) : nullptr};
}

SqueezeParams parameters(const Lowering& lowering, const Parts& parts, const View& y,
                         const Shares& shares, int64_t hidden) {
  const auto &act1 = parts.first->get<ir::ConvAttributes>(),
             &act2 = parts.second->get<ir::ConvAttributes>();
  SqueezeParams p{};
  p.in_h = p.out_h = static_cast<int>(y.dims[2]);
  p.in_w = p.out_w = static_cast<int>(y.dims[3]);
  p.channels = static_cast<int>(shares.vectors * 8);
  p.hidden = static_cast<int>(hidden);
  p.slices = static_cast<int>(shares.slices);
  p.slice_vectors = static_cast<int>(shares.slice_vectors);
  p.image_bytes = static_cast<int>(shares.image_bytes);
  p.alpha1 = act1.alpha;
  p.beta1 = act1.beta;
  p.alpha2 = act2.alpha;
  p.beta2 = act2.beta;
  if (!parts.window) return p;
  const auto& a = parts.window->get<ir::ConvAttributes>();
  const ir::Dims in = ir::dims_of(lowering.value(parts.window->inputs[0]).shape);
  p.in_h = static_cast<int>(in[2]);
  p.in_w = static_cast<int>(in[3]);
  p.pad_h = static_cast<int>(window_of(a).pad[0]);
  p.pad_w = static_cast<int>(window_of(a).pad[1]);
  p.alpha0 = a.alpha;
  p.beta0 = a.beta;
  return p;
}

Step& add_squeeze(Lowering& lowering, const Parts& parts, const Shares& shares) {
  const ir::Graph& graph = lowering.graph();
  const ir::Node* const window = parts.window;
  const View x = lowering.pixels(window ? window->inputs[0] : parts.mean->inputs[0]);
  const View y = lowering.target_pixels(parts.product->outputs[0]);
  const int64_t hidden = graph.constant(*parts.first, 1)->dims()[0];
  const SqueezeParams p = parameters(lowering, parts, y, shares, hidden);
  Place weights, bias0;
  if (window) {
    weights = window_weights(lowering, *graph.constant(*window, 1), p.channels);
    const Conv c = conv_of(graph, *window);
    bias0 = lowering.constant_floats(padded_bias(lowering, c.bias, c.k));
  }
  const Place w1 = layer_weights(lowering, *graph.constant(*parts.first, 1), p.channels, false);
  const Place w2 = layer_weights(lowering, *graph.constant(*parts.second, 1), p.channels, true);
  const Place bias1 = layer_bias(lowering, *parts.first, p.hidden);
  const Place bias2 = layer_bias(lowering, *parts.second, p.channels);
  Launch launch{{x.dims[0], 1, shares.blocks},
                {kSqueezeThreads, 1, 1},
                static_cast<int>(shares.shared_bytes)};
  launch.cluster = static_cast<int>(shares.blocks);
  const auto activation = [](const ir::Node* layer) {
    return device_name(layer->get<ir::ConvAttributes>().activation);
  };
  const Kernel kernel{"squeeze.cu", format("squeeze<{}, {}, {}>", window_text(lowering, window),
                                           activation(parts.first), activation(parts.second))};
  Step& step = lowering.add(*parts.product, "", kernel, launch, p);
  patch(step, &SqueezeParams::x, x.place);
  patch(step, &SqueezeParams::y, y.place);
  patch(step, &SqueezeParams::w1, w1);
  patch(step, &SqueezeParams::w2, w2);
  patch(step, &SqueezeParams::bias1, bias1);
  patch(step, &SqueezeParams::bias2, bias2);
  patch(step, &SqueezeParams::window, weights);
  patch(step, &SqueezeParams::bias0, bias0);
  step.bytes = static_cast<double>(span_bytes(x) + span_bytes(y));
  if (window) step.operations = window_operations(graph, *window, y);
  return step;
}

void lower_squeeze(Lowering& lowering, const Group& group);

/// The window by itself, then the rest.
void lower_apart(Lowering& lowering, const Group& group, const Parts& parts) {
  lowering.begin(*parts.window);
  lower_conv(lowering, *parts.window);
  Group rest = group;
  std::erase(rest.nodes, group.nodes.front());
  lowering.begin(*parts.product, &rest);
  lower_squeeze(lowering, rest);
}

void lower_squeeze(Lowering& lowering, const Group& group) {
  const ir::Graph& graph = lowering.graph();
  const Parts parts = parts_of(graph, group);
  const ir::Dims dims = ir::dims_of(graph.value(parts.mean->inputs[0]).shape);
  const int64_t hidden = graph.constant(*parts.first, 1)->dims()[0];
  std::vector<Form> forms = forms_of(dims, hidden, lowering.target());
  if (parts.window) forms.push_back({std::string(kApart), {}});
  const std::string problem = format("squeeze {} hidden {} after {}", join(dims, "x"), hidden,
                                     window_text(lowering, parts.window));
  const Form& form = choose_form(lowering, problem, forms);
  if (form.tactic == kApart) return lower_apart(lowering, group, parts);
  Step& step = add_squeeze(lowering, parts, form.shares);
  step.problem = problem;
  step.tactic = form.tactic;
}

}  // namespace

std::optional<Group> squeeze_around(const Links& links, const ir::Node& mean,
                                    const Target& target) {
  if (!target.is_hopper()) return std::nullopt;  // without clusters nobody waits for the others
  const std::optional<Parts> parts = parts_from(links, mean);
  if (!parts) return std::nullopt;
  const ir::Graph& graph = links.graph();
  const ir::Dims x = ir::dims_of(graph.value(mean.inputs[0]).shape);
  const int64_t hidden = graph.constant(*parts->first, 1)->dims()[0];
  if (hidden > kSqueezeHidden || graph.constant(*parts->second, 1)->dims()[0] != x[1] ||
      forms_of(x, hidden, target).empty())
    return std::nullopt;
  // One cluster makes an image's windows slower than the whole device does: only many images pay.
  const bool busy = x[0] * 8 >= 2 * target.multiprocessors;
  Group group;
  for (const ir::Node* node :
       {busy ? parts->window : nullptr, parts->mean, parts->first, parts->second, parts->product})
    if (node) group.nodes.push_back(links.index(*node));
  group.at = group.nodes.back();
  group.lower = lower_squeeze;
  return group;
}

}  // namespace dlaexec::gpu
