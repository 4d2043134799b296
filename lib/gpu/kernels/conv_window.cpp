#include "gpu/kernels/conv_window.h"

#include <cstring>

#include "base/error.h"
#include "gpu/cudnn.h"
#include "gpu/kernels/window_params.h"
#include "gpu/library_step.h"

namespace dlaexec::gpu {
namespace {

using ir::DataType;

/// Sizes of kernels that slide a window over pixels.
WindowParams window_of(const Conv& c, const View& x, const View& y) {
  WindowParams p{};
  p.images = static_cast<int>(c.images);
  set_window(p, c);
  p.out_h = static_cast<int>(c.out_h);
  p.out_w = static_cast<int>(c.out_w);
  p.channels = static_cast<int>(c.k);
  p.x_pixel = static_cast<int>(x.pixel());
  p.y_pixel = static_cast<int>(y.pixel());
  p.groups = static_cast<int>(c.groups);
  p.group_inputs = static_cast<int>(c.c / c.groups);
  p.group_outputs = static_cast<int>(c.k / c.groups);
  p.x_scale = x.scale;
  p.y_inverse = 1 / y.scale;
  p.alpha = c.alpha;
  p.beta = c.beta;
  return p;
}

/// Adds a window kernel with its epilogue's operands.
Step& add_window(Lowering& lowering, const ir::Node& node, const Conv& c, Kernel kernel,
                 Launch launch, WindowParams p, const View& x, const View& y,
                 const Place& weights) {
  View residual;
  if (c.residual) {
    residual = lowering.pixels(c.residual_value);
    p.residual_pixel = static_cast<int>(residual.pixel());
    p.residual_scale = residual.scale;
  }
  const Place bias = lowering.constant_floats(padded_bias(lowering, c.bias, c.k));
  Place multiplier;
  if (c.in == DataType::Int8) multiplier = lowering.constant_floats(multipliers(lowering, c));
  Step& step = lowering.add(node, "", std::move(kernel), launch, p);
  patch(step, &WindowParams::x, x.place);
  patch(step, &WindowParams::weights, weights);
  patch(step, &WindowParams::bias, bias);
  patch(step, &WindowParams::multiplier, multiplier);
  patch(step, &WindowParams::residual, residual.place);
  patch(step, &WindowParams::y, y.place);
  step.operations = operations_of(c);
  step.bytes = bytes_of(c, c.residual);
  return step;
}

std::string window_types(const Lowering& lowering, const Conv& c) {
  return format("{}, {}, {}, {}", device_type(c.in), device_type(c.out),
                c.residual ? device_type(lowering.value(c.residual_value).type) : "Nothing",
                device_name(c.activation));
}

/// [k][taps][channels of a group] of a convolution's or deconvolution's weights.
std::vector<std::byte> plain_weights(const ir::Tensor& weights, int64_t groups, bool transposed) {
  const ir::Dims& d = weights.dims();  // conv [k][c/g][taps], deconv [c][k/g][taps]
  const size_t size = ir::size_bytes(weights.type());
  const int64_t taps = d[2] * d[3];
  const int64_t inputs = transposed ? d[0] / groups : d[1];
  const int64_t outputs = transposed ? d[1] * groups : d[0], group_outputs = outputs / groups;
  std::vector<std::byte> made(weights.size_bytes());
  for (int64_t k = 0; k < outputs; ++k)
    for (int64_t tap = 0; tap < taps; ++tap)
      for (int64_t c = 0; c < inputs; ++c) {
        const int64_t from =
            transposed
                ? ((k / group_outputs * inputs + c) * group_outputs + k % group_outputs) * taps +
                      tap
                : (k * inputs + c) * taps + tap;
        std::memcpy(made.data() + static_cast<size_t>((k * taps + tap) * inputs + c) * size,
                    weights.bytes().data() + static_cast<size_t>(from) * size, size);
      }
  return made;
}

/// Weights as the plain kernel and libraries want them.
Place plain_weights(Lowering& lowering, const Conv& c, bool transposed) {
  const ir::Tensor weights = *lowering.value(c.weights).constant;
  return lowering.constant(static_cast<int64_t>(weights.size_bytes()),
                           [weights, groups = c.groups, transposed] {
                             return plain_weights(weights, groups, transposed);
                           });
}

Step& add_plain(Lowering& lowering, const ir::Node& node, const Conv& c, const View& x,
                const View& y, bool transposed) {
  const Kernel kernel{"conv_plain.cu",
                      format("conv_plain<{}, {}>", window_types(lowering, c), transposed)};
  const int64_t items = c.images * c.out_h * c.out_w * y.pixel();
  return add_window(lowering, node, c, kernel, {{ceil_div(items, 128), 1, 1}, {128, 1, 1}},
                    window_of(c, x, y), x, y, plain_weights(lowering, c, transposed));
}

/// What a library runs in place of the plain kernel.
struct Asked {
  LibraryConvolution convolution;
  LibraryOperands operands;  ///< all but weights and bias
};

/// @p c from @p x to @p y for cuDNN; nothing when it is none that it takes. Groups leave no room
/// for channels that pad.
std::optional<Asked> asked_of(Lowering& lowering, const Conv& c, const View& x, const View& y) {
  const int64_t vec = vector_elements(c.in);
  if (c.in != c.out || c.c % vec != 0 || c.k % vec != 0) return std::nullopt;
  if (c.residual && lowering.value(c.residual_value).type != c.out) return std::nullopt;
  Place residual;
  if (c.residual) residual = lowering.pixels(c.residual_value).place;
  const Asked asked{{.type = c.in,
                     .activation = c.activation,
                     .full = lowering.full_floats() && c.in == DataType::Float32,
                     .images = c.images,
                     .c = c.c,
                     .h = c.h,
                     .w = c.w,
                     .k = c.k,
                     .out_h = c.out_h,
                     .out_w = c.out_w,
                     .groups = c.groups,
                     .taps_h = c.taps_h,
                     .taps_w = c.taps_w,
                     .stride_h = c.stride_h,
                     .stride_w = c.stride_w,
                     .pad_h = c.pad_h,
                     .pad_w = c.pad_w,
                     .dilation_h = c.dilation_h,
                     .dilation_w = c.dilation_w,
                     .has_residual = c.residual},
                    {x.place, {}, {}, residual, y.place}};
  if (why_not_library(asked.convolution) || !are_aligned(asked.operands)) return std::nullopt;
  return asked;
}

Step& add_by_library(Lowering& lowering, const ir::Node& node, const Conv& c, Asked asked,
                     const LibraryTactic& tactic) {
  asked.operands.weights = plain_weights(lowering, c, false);
  asked.operands.bias =
      library_bias(lowering, lowering.constant_floats(padded_bias(lowering, c.bias, c.k)), c.out);
  Step& step = add_library_step(lowering, node, "", asked.convolution, tactic, asked.operands);
  step.operations = operations_of(c);
  step.bytes = bytes_of(c, c.residual);
  return step;
}

/// The key under which the choice between the plain kernel and a library's is kept.
std::string plain_problem(const Lowering& lowering, const Conv& c) {
  std::optional<DataType> residual;
  if (c.residual) residual = lowering.value(c.residual_value).type;
  const bool full = c.in == DataType::Float32 && lowering.full_floats();
  return problem_text(c, residual) + (full ? " full" : "");
}

}  // namespace

void lower_depthwise(Lowering& lowering, const ir::Node& node, const Conv& c) {
  const View x = lowering.pixels(c.x), y = lowering.target_pixels(c.y);
  WindowParams p = window_of(c, x, y);
  const int64_t vec = vector_elements(c.in);
  p.vectors = static_cast<int>(ceil_div(c.k, vec));
  const ir::Tensor weights = *lowering.value(c.weights).constant;
  const int64_t width = p.vectors * vec, size = static_cast<int64_t>(ir::size_bytes(c.in));
  const Place packed = lowering.constant(c.taps_h * c.taps_w * width * size, [weights, width] {
    // [k][1][taps] to [taps][k padded]: each tap is one row's place in the layout.
    const ir::Dims& d = weights.dims();
    const size_t bytes = ir::size_bytes(weights.type());
    std::vector<std::byte> made(static_cast<size_t>(d[2] * d[3] * width) * bytes);
    for (int64_t k = 0; k < d[0]; ++k)
      for (int64_t tap = 0; tap < d[2] * d[3]; ++tap)
        std::memcpy(made.data() + static_cast<size_t>(tap * width + k) * bytes,
                    weights.bytes().data() + static_cast<size_t>(k * d[2] * d[3] + tap) * bytes,
                    bytes);
    return made;
  });
  const bool square = c.taps_h == c.taps_w && (c.taps_w == 3 || c.taps_w == 5) &&
                      c.stride_h == c.stride_w && c.stride_w <= 2 && c.dilation_h == 1 &&
                      c.dilation_w == 1;
  // Large tiles read less and small ones keep more threads busy.
  int run = !square ? 1 : c.out_w < 4 || c.in == DataType::Int8 ? 2 : 4, rows = 1;
  const auto threads = [&] {
    return c.images * ceil_div(c.out_h, rows) * ceil_div(c.out_w, run) * p.vectors;
  };
  const int64_t full = int64_t{lowering.target().multiprocessors} * 1024;
  if (square && c.stride_h == 1 && c.in == DataType::Float16 && c.out_h > 1 && threads() > 2 * full)
    rows = 2;
  else if (run == 4 && (threads() < full / 4 || (c.stride_h == 2 && c.taps_w == 5)))
    run = 2;
  const Kernel kernel{"depthwise.cu",
                      format("depthwise<{}, {}, {}, {}, {}>", window_types(lowering, c),
                             square ? c.taps_w : 0, square ? c.stride_w : 0, run, rows)};
  const int64_t items = threads();
  add_window(lowering, node, c, kernel, {{ceil_div(items, 128), 1, 1}, {128, 1, 1}}, p, x, y,
             packed);
}

void lower_conv_plain(Lowering& lowering, const ir::Node& node, const Conv& c) {
  constexpr const char* kPlain = "plain";
  const View x = lowering.pixels(c.x), y = lowering.target_pixels(c.y);
  const std::optional<Asked> asked = asked_of(lowering, c, x, y);
  const std::string problem = plain_problem(lowering, c);
  std::vector<std::string> tactics{kPlain};
  if (asked)
    for (std::string& tactic : lowering.library_tactics(asked->convolution))
      tactics.push_back(std::move(tactic));
  std::string chosen = lowering.choose(problem, tactics);
  const std::optional<LibraryTactic> library = parse_library_tactic(chosen);
  if (chosen != kPlain && !(asked && library))
    fail("'{}' is no tactic for '{}'; those that fit: {}", chosen, problem, join(tactics, ", "));
  if (library && !lowering.has_workspace(library->workspace_bytes)) chosen = kPlain;
  Step& step = chosen == kPlain ? add_plain(lowering, node, c, x, y, false)
                                : add_by_library(lowering, node, c, *asked, *library);
  step.problem = problem;
  step.tactic = chosen;
}

void lower_deconv_plain(Lowering& lowering, const ir::Node& node, const Conv& c) {
  const View x = lowering.pixels(c.x), y = lowering.target_pixels(c.y);
  add_plain(lowering, node, c, x, y, true);
}

}  // namespace dlaexec::gpu
