#include "cpu/reorder.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "cpu/kernels/pointwise.h"

namespace dlaexec::cpu {
namespace {

/// Elements that one part of a parallel loop handles at least: below, threads cost more than they
/// bring.
constexpr int64_t kGrain = 16 * 1024;

/// Pixels of one block handled together, so that both sides stay in the nearest cache.
constexpr int64_t kPixelRun = 64;

template <class Body>
void for_each_run(int64_t blocks, int64_t pixels, ThreadPool& pool, Body&& body) {
  const int64_t runs = divide_up(pixels, kPixelRun);
  pool.parallel_ranges(blocks * runs, std::max<int64_t>(1, kGrain / (kPixelRun * kBlock)),
                       [&](int64_t first, int64_t last) {
                         for (int64_t i = first; i < last; ++i) {
                           const int64_t pixel = i % runs * kPixelRun;
                           body(i / runs, pixel, std::min(pixels, pixel + kPixelRun));
                         }
                       });
}

}  // namespace

void block_image(const float* linear, float* blocked, int64_t channels, int64_t pixels,
                 ThreadPool& pool) {
  const auto run = [&](int64_t block, int64_t first, int64_t last) {
    const int64_t here = std::min(kBlock, channels - block * kBlock);
    float* to = blocked + block * pixels * kBlock;
    const float* from = linear + block * kBlock * pixels;
    for (int64_t lane = 0; lane < here; ++lane)
      for (int64_t i = first; i < last; ++i) to[i * kBlock + lane] = from[lane * pixels + i];
    for (int64_t lane = here; lane < kBlock; ++lane)
      for (int64_t i = first; i < last; ++i) to[i * kBlock + lane] = 0;
  };
  for_each_run(divide_up(channels, kBlock), pixels, pool, run);
}

void unblock_image(const float* blocked, float* linear, int64_t channels, int64_t pixels,
                   ThreadPool& pool) {
  const auto run = [&](int64_t block, int64_t first, int64_t last) {
    const int64_t here = std::min(kBlock, channels - block * kBlock);
    const float* from = blocked + block * pixels * kBlock;
    float* to = linear + block * kBlock * pixels;
    for (int64_t lane = 0; lane < here; ++lane)
      for (int64_t i = first; i < last; ++i) to[lane * pixels + i] = from[i * kBlock + lane];
  };
  for_each_run(divide_up(channels, kBlock), pixels, pool, run);
}

void round_numbers(Isa isa, Rounding rounding, float* numbers, int64_t count) {
  const PointwiseKernels& kernels = pointwise_kernels(isa);
  switch (rounding.type) {
    case ir::DataType::Float32:
      return;
    case ir::DataType::Float16:
      return kernels.round_half(numbers, numbers, count);
    case ir::DataType::Int8:
      return kernels.round_int8(rounding.scale, numbers, numbers, count);
    case ir::DataType::BFloat16:
      for (int64_t i = 0; i < count; ++i) numbers[i] = static_cast<float>(BFloat16(numbers[i]));
      return;
    default:
      DLAEXEC_CHECK(false);
  }
}

void round_numbers(Isa isa, Rounding rounding, float* numbers, int64_t count, ThreadPool& pool) {
  pool.parallel_ranges(count, kGrain, [&](int64_t first, int64_t last) {
    round_numbers(isa, rounding, numbers + first, last - first);
  });
}

namespace {

/// A function of (from, to, count) over ranges of a flat value.
template <class Body>
std::function<void(const Call&)> over_ranges(int64_t count, Body body) {
  return [count, body](const Call& call) {
    const std::byte* from = call.inputs[0].data;
    std::byte* to = call.outputs[0].data;
    call.pool.parallel_ranges(
        count, kGrain, [&](int64_t first, int64_t last) { body(from, to, first, last - first); });
  };
}

Reorder make_widening(const ir::Value& value, Isa isa) {
  const int64_t count = ir::volume(ir::dims_of(value.shape));
  const PointwiseKernels& kernels = pointwise_kernels(isa);
  const auto floats = [](std::byte* to) { return reinterpret_cast<float*>(to); };
  switch (value.type) {
    case ir::DataType::Float16:
      return {"reorder.f16-to-f32",
              over_ranges(count, [=, &kernels](const std::byte* from, std::byte* to, int64_t at,
                                               int64_t run) {
                kernels.half_to_float(reinterpret_cast<const uint16_t*>(from) + at, floats(to) + at,
                                      run);
              })};
    case ir::DataType::Int8:
      return {
          "reorder.i8-to-f32",
          over_ranges(count, [=, &kernels, scale = rounding_of(value).scale](
                                 const std::byte* from, std::byte* to, int64_t at, int64_t run) {
            kernels.int8_to_float(scale, reinterpret_cast<const int8_t*>(from) + at,
                                  floats(to) + at, run);
          })};
    case ir::DataType::BFloat16:
      return {"reorder.bf16-to-f32", over_ranges(count, [=](const std::byte* from, std::byte* to,
                                                            int64_t at, int64_t run) {
                const auto* in = reinterpret_cast<const BFloat16*>(from);
                for (int64_t i = at; i < at + run; ++i) floats(to)[i] = static_cast<float>(in[i]);
              })};
    default:
      DLAEXEC_CHECK(false);
  }
  return {};
}

Reorder make_narrowing(const ir::Value& value, Isa isa) {
  const int64_t count = ir::volume(ir::dims_of(value.shape));
  const PointwiseKernels& kernels = pointwise_kernels(isa);
  const auto floats = [](const std::byte* from) { return reinterpret_cast<const float*>(from); };
  switch (value.type) {
    case ir::DataType::Float16:
      return {"reorder.f32-to-f16",
              over_ranges(count, [=, &kernels](const std::byte* from, std::byte* to, int64_t at,
                                               int64_t run) {
                kernels.float_to_half(floats(from) + at, reinterpret_cast<uint16_t*>(to) + at, run);
              })};
    case ir::DataType::Int8:
      return {
          "reorder.f32-to-i8",
          over_ranges(count, [=, &kernels, scale = rounding_of(value).scale](
                                 const std::byte* from, std::byte* to, int64_t at, int64_t run) {
            kernels.float_to_int8(scale, floats(from) + at, reinterpret_cast<int8_t*>(to) + at,
                                  run);
          })};
    case ir::DataType::BFloat16:
      return {"reorder.f32-to-bf16", over_ranges(count, [=](const std::byte* from, std::byte* to,
                                                            int64_t at, int64_t run) {
                auto* out = reinterpret_cast<BFloat16*>(to);
                for (int64_t i = at; i < at + run; ++i) out[i] = BFloat16(floats(from)[i]);
              })};
    default:
      DLAEXEC_CHECK(false);
  }
  return {};
}

/// Whether linear and blocked are the same bytes: whole blocks of a single pixel.
bool blocks_are_linear(const ImageDims& image) {
  return image.pixels() == 1 && image.channels % kBlock == 0;
}

Reorder make_blocking(const ir::Value& value, Layout to) {
  const ImageDims image = image_dims(ir::dims_of(value.shape));
  if (blocks_are_linear(image)) return {"reorder.view", nullptr};
  const int64_t linear_step = image.channels * image.pixels();
  const int64_t blocked_step = image.blocks() * kBlock * image.pixels();
  if (to == kBlocked)
    return {"reorder.block", [=](const Call& call) {
              for (int64_t n = 0; n < image.batch; ++n)
                block_image(call.input(0) + n * linear_step, call.output() + n * blocked_step,
                            image.channels, image.pixels(), call.pool);
            }};
  return {"reorder.unblock", [=](const Call& call) {
            for (int64_t n = 0; n < image.batch; ++n)
              unblock_image(call.input(0) + n * blocked_step, call.output() + n * linear_step,
                            image.channels, image.pixels(), call.pool);
          }};
}

}  // namespace

Reorder make_reorder(const ir::Value& value, Layout from, Layout to, Isa isa) {
  if (from.order != to.order) return make_blocking(value, to);
  return to == kLinear ? make_widening(value, isa) : make_narrowing(value, isa);
}

ir::Tensor laid_out(const ir::Value& value, Layout layout) {
  if (layout.order == Order::Linear && layout.storage == value.type) return *value.constant;
  DLAEXEC_CHECK(layout.storage == ir::DataType::Float32);
  const std::vector<float> numbers = real_numbers(value);
  const ir::Dims& dims = value.constant->dims();
  ir::Tensor tensor(ir::DataType::Float32, {size_bytes(dims, layout) / 4});
  float* out = tensor.mutable_as<float>().data();
  if (layout.order == Order::Linear) {
    std::copy(numbers.begin(), numbers.end(), out);
    return tensor;
  }
  const ImageDims image = image_dims(dims);
  ThreadPool alone(1);
  for (int64_t n = 0; n < image.batch; ++n)
    block_image(numbers.data() + n * image.channels * image.pixels(),
                out + n * image.blocks() * kBlock * image.pixels(), image.channels, image.pixels(),
                alone);
  return tensor;
}

}  // namespace dlaexec::cpu
