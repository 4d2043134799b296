// Pooling over windows of blocked images, and the mean over whole images.
#include <algorithm>
#include <cmath>
#include <memory>

#include "cpu/catalog.h"
#include "cpu/conv_shape.h"
#include "cpu/kernels/window.h"
#include "cpu/numbers.h"

namespace dlaexec::cpu {
namespace {

struct Pool {
  ImageDims input, output;
  Axis y, x;
  bool is_max;
  std::vector<float> factors;  ///< average: one over the cells of each output's window
  const WindowKernels* kernels;

  void run_row(const float* image, float* output_image, int64_t row_index) const;
};

void Pool::run_row(const float* image, float* output_image, int64_t row_index) const {
  const int64_t top = row_index * y.stride - y.pad_before;
  WindowRow row{};
  row.input = image;
  row.width = input.width;
  row.output = output_image + row_index * output.width * kBlock;
  row.output_width = output.width;
  row.top = top;
  row.first_tap_y = top >= 0 ? 0 : divide_up(-top, y.dilation);
  row.last_tap_y =
      std::min(y.kernel, top >= input.height ? 0 : divide_up(input.height - top, y.dilation));
  row.kernel_x = x.kernel;
  row.stride_x = x.stride;
  row.dilation_x = x.dilation;
  row.dilation_y = y.dilation;
  row.pad_x = x.pad_before;
  if (is_max) return kernels->max(row);
  kernels->sum(row);
  kernels->multiply_pixels(row.output, factors.data() + row_index * output.width, output.width);
}

/// Cells of the window of output @p index that count along one axis: those inside the image, or
/// inside image and padding.
int64_t cells(const Axis& axis, int64_t size, int64_t index, bool with_padding) {
  const int64_t first = index * axis.stride - axis.pad_before;
  int64_t count = 0;
  for (int64_t k = 0; k < axis.kernel; ++k) {
    const int64_t at = first + k * axis.dilation;
    count += with_padding ? at < size + axis.pad_after : at >= 0 && at < size;
  }
  return count;
}

std::vector<float> window_factors(const Pool& pool, bool with_padding) {
  std::vector<float> factors;
  for (int64_t y = 0; y < pool.output.height; ++y)
    for (int64_t x = 0; x < pool.output.width; ++x)
      factors.push_back(1.0f /
                        static_cast<float>(cells(pool.y, pool.input.height, y, with_padding) *
                                           cells(pool.x, pool.input.width, x, with_padding)));
  return factors;
}

Axis axis_of(const ir::PoolAttributes& attributes, size_t spatial) {
  return {attributes.kernel[spatial], attributes.stride[spatial], attributes.dilation[spatial],
          attributes.pads[spatial], attributes.pads[spatial + attributes.kernel.size()]};
}

}  // namespace

std::optional<Kernel> make_pool(const Request& request) {
  const auto& attributes = request.node.get<ir::PoolAttributes>();
  const ir::Dims input = request.input_dims(0);
  const bool has_indices =
      request.node.outputs.size() > 1 && request.node.outputs[1] != ir::kNoValue;
  if (attributes.kind == ir::PoolKind::Lp || has_indices || !can_block(input) || input.size() < 3 ||
      !holds_reals(request.input(0)) || !holds_reals(request.output()))
    return std::nullopt;
  auto pool = std::make_shared<Pool>();
  pool->input = image_dims(input);
  pool->output = image_dims(request.output_dims());
  pool->x = axis_of(attributes, input.size() - 3);
  if (input.size() == 4) pool->y = axis_of(attributes, 0);
  pool->is_max = attributes.kind == ir::PoolKind::Max;
  pool->kernels = &window_kernels(request.isa);
  if (!pool->is_max) pool->factors = window_factors(*pool, attributes.count_include_pad);

  Kernel kernel;
  kernel.name = pool->is_max ? "pool.max" : "pool.average";
  kernel.inputs = {kBlocked};
  kernel.outputs.assign(request.node.outputs.size(), kBlocked);
  kernel.run = [pool](const Call& call) {
    const int64_t rows = pool->output.height;
    const int64_t images = pool->input.batch * pool->input.blocks();
    const int64_t work = pool->output.width * pool->y.kernel * pool->x.kernel * kBlock;
    call.pool.parallel_ranges(
        images * rows, std::max<int64_t>(1, 16 * 1024 / work), [&](int64_t first, int64_t last) {
          for (int64_t i = first; i < last; ++i)
            pool->run_row(call.input(0) + i / rows * pool->input.pixels() * kBlock,
                          call.output() + i / rows * pool->output.pixels() * kBlock, i % rows);
        });
  };
  return kernel;
}

std::optional<Kernel> make_global_average(const Request& request) {
  const auto& attributes = request.node.get<ir::ReduceAttributes>();
  const ir::Dims input = request.input_dims(0);
  ir::Ints spatial;
  for (size_t i = 2; i < input.size(); ++i) spatial.push_back(static_cast<int64_t>(i));
  if (attributes.kind != ir::ReduceKind::Mean || attributes.axes != spatial ||
      request.node.inputs.size() != 1 || input.size() < 3 || input.size() > 4 ||
      !holds_reals(request.input(0)) || !holds_reals(request.output()))
    return std::nullopt;
  const ImageDims image = image_dims(input);
  const WindowKernels* kernels = &window_kernels(request.isa);
  const float factor = 1.0f / static_cast<float>(image.pixels());
  const bool blocked = request.exists_as(0, kBlocked);
  Kernel kernel;
  kernel.name = "reduce.image-mean";
  kernel.inputs = {blocked ? kBlocked : kLinear};
  kernel.outputs = {blocked ? kBlocked : kLinear};
  kernel.run = [=](const Call& call) {
    const int64_t runs = image.batch * (blocked ? image.blocks() : image.channels);
    const int64_t length = image.pixels() * (blocked ? kBlock : 1);
    const int64_t grain = std::max<int64_t>(1, 16 * 1024 / length);
    call.pool.parallel_ranges(runs, grain, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) {
        const float* from = call.input(0) + i * length;
        if (!blocked) {
          call.output()[i] = kernels->total(from, length) * factor;
          continue;
        }
        float* to = call.output() + i * kBlock;
        kernels->sum_pixels(from, image.pixels(), to);
        for (int64_t lane = 0; lane < kBlock; ++lane) to[lane] *= factor;
      }
    });
  };
  return kernel;
}

}  // namespace dlaexec::cpu
