#include "dla/core/conv_plan.h"

#include <algorithm>

#include "base/error.h"
#include "ir/dla_formats.h"

namespace dlaexec::dla::core {
namespace {

constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// Scratch that stays in the caches while every kernel passes over it.
constexpr int64_t kScratchElements = int64_t{1} << 20;

/// Whether @p view holds whole surfaces in which pixel follows pixel.
bool is_dense_feature(const Cube& cube) {
  return cube.format == ir::cut_format(cube.type) &&
         cube.layout.line == cube.dims.w * cube.layout.pixel;
}

}  // namespace

ConvPlan::ConvPlan(const Loadable& loadable, const Operation& operation, const Packing& asked)
    : in(loadable.cube(operation.input).dims),
      out(loadable.cube(operation.output).dims),
      packing(asked) {
  const auto& conv = std::get<ConvParameters>(operation.parameters);
  kernel = conv.kernel;
  stride = conv.stride;
  dilation = conv.dilation;
  pad = conv.pad;
  groups = conv.groups;
  group_channels = in.c / groups;
  group_kernels = out.c / groups;

  const int64_t step = packing.channels_per_step;
  width = std::min(packing.block, ceil_div(group_channels, step) * step);
  blocks = ceil_div(group_channels, packing.block);
  is_merged = kernel == Hw{} || (out.h == 1 && out.w == 1);
  const int64_t outputs = out.h * out.w;
  if (is_merged) {
    const int64_t image_size = blocks * groups * kernel.h * kernel.w * outputs * width;
    images_per_pass = std::clamp<int64_t>(kScratchElements / image_size, 1, out.n);
    positions = images_per_pass * outputs;
    row_size = positions * width;  // one tap
    block_size = kernel.h * kernel.w * row_size;
  } else {
    positions = out.w;
    rows = (out.h - 1) * stride.h + (kernel.h - 1) * dilation.h + 1;
    phase_pixels = out.w + (kernel.w - 1) * dilation.w / stride.w;
    row_size = stride.w * phase_pixels * width;
    block_size = rows * row_size;
  }
  group_size = blocks * block_size;

  for (int64_t block = 0; block < blocks; ++block)
    for (int64_t r = 0; r < kernel.h; ++r)
      for (int64_t s = 0; s < kernel.w; ++s) {
        const int64_t channels = std::min(packing.block, group_channels - block * packing.block);
        const int64_t column = s * dilation.w;
        const int64_t offset =
            is_merged ? (r * kernel.w + s) * row_size
                      : r * dilation.h * row_size +
                            (column % stride.w * phase_pixels + column / stride.w) * width;
        taps.push_back({block * block_size + offset, ceil_div(channels, step)});
      }
  kernel_blocks = ceil_div(group_kernels, kKernelBlock);
  for (const Tap& tap : taps) weights_size += tap.steps * step * kKernelBlock;
}

int64_t ConvPlan::weight_offset(int64_t k, int64_t c, int64_t r, int64_t s) const {
  const int64_t step = packing.channels_per_step;
  const int64_t block = c / packing.block;
  const int64_t tap_steps = taps[static_cast<size_t>(block * kernel.h * kernel.w)].steps;
  // All blocks before this one are full.
  const int64_t before = block * kernel.h * kernel.w * (packing.block / step);
  const int64_t inside = c % packing.block;
  const int64_t steps = before + (r * kernel.w + s) * tap_steps + inside / step;
  return (steps * kKernelBlock + k % kKernelBlock) * step + inside % step;
}

VectorSdp::VectorSdp(const Loadable& loadable, const Operation& operation, const SdpParameters& sdp)
    : is_integer(works_in_integers(loadable, operation)) {
  const Cube& output = loadable.cube(operation.output);
  const bool reads_int8 = operation.precision == ir::DataType::Int8;
  is_usable = !sdp.lut.is_present() && is_dense_feature(output) && is_integer == reads_int8 &&
              (is_integer || output.type == ir::DataType::Float16);
  out_offset = sdp.output.offset;
  out_factor = factor(sdp.output);
  const auto channels = static_cast<size_t>(output.dims.c);

  /// Constants as one number per channel, and 16 beyond so that whole vectors can be read.
  const auto spread = [&](const SdpOperand& operand, double scale, std::vector<double>& wide,
                          std::vector<float>& single) {
    const bool is_constant = operand.cube == kNoCube && operand.extent != OperandExtent::PerElement;
    if (!is_constant) return is_constant;
    const std::span<const std::byte> bytes = loadable.blob(operand.constants);
    (is_integer ? wide.resize(channels + kKernelBlock) : single.resize(channels + kKernelBlock));
    for (size_t k = 0; k < channels; ++k) {
      const size_t index = operand.extent == OperandExtent::PerLayer ? 0 : k;
      if (is_integer)
        wide[k] = scale * static_cast<double>(saturate<int32_t>(
                              int64_t{reinterpret_cast<const int16_t*>(bytes.data())[index]}
                              << operand.shift_left));
      else
        single[k] = reinterpret_cast<const float*>(bytes.data())[index];
    }
    return true;
  };

  for (const SdpStage& from : sdp.stages) {
    VectorStage& stage = stages.emplace_back();
    stage.alu = from.alu;
    stage.mul = from.mul;
    stage.is_relu = from.activation == SdpActivation::Relu;
    if (stage.mul != SdpMul::None)
      is_usable &= spread(from.mul_operand, std::ldexp(1.0, -from.mul_shift), stage.mul_wide,
                          stage.mul_single);
    if (stage.alu == SdpAlu::None) continue;
    if (from.alu_operand.cube == kNoCube) {
      is_usable &= spread(from.alu_operand, 1, stage.alu_wide, stage.alu_single);
      continue;
    }
    const Cube& cube = loadable.cube(from.alu_operand.cube);
    is_usable &= cube.dims == output.dims && cube.type == output.type && is_dense_feature(cube);
    stage.cube = from.alu_operand.cube;
    stage.cube_offset = from.alu_operand.converter.offset;
    stage.cube_factor = factor(from.alu_operand.converter);
    stage.cube_left = std::ldexp(1.0, from.alu_operand.shift_left);
  }
}

}  // namespace dlaexec::dla::core
