// Quantize and dequantize with known scales, of a whole tensor or along an axis.
#include <memory>
#include <vector>

#include "cpu/catalog.h"
#include "cpu/kernels/pointwise.h"
#include "cpu/numbers.h"

namespace dlaexec::cpu {
namespace {

/// Runs of elements that share a scale: run i has scale i % scales.size().
struct Runs {
  std::vector<IntegerScale> scales;
  int64_t run;    ///< elements of one
  int64_t count;  ///< runs
};

std::optional<Runs> runs_of(const Request& request) {
  const auto& attributes = request.node.get<ir::QuantizeAttributes>();
  const ir::Tensor* scale = request.constant(1);
  if (attributes.block > 0 || scale == nullptr ||
      (request.has_input(2) && request.constant(2) == nullptr))
    return std::nullopt;
  const ir::Dims dims = request.input_dims(0);
  const int64_t all = ir::volume(dims);
  const std::vector<float> scales = scale->to_floats();
  std::vector<int64_t> zeros(scales.size(), 0);
  if (request.has_input(2)) zeros = request.constant(2)->to_ints();
  if (zeros.size() != scales.size()) return std::nullopt;
  Runs runs{{}, all, 1};
  if (scales.size() > 1) {
    const auto axis = static_cast<size_t>(attributes.axis);
    if (axis >= dims.size() || dims[axis] != std::ssize(scales)) return std::nullopt;
    runs.run = ir::volume(ir::Dims(dims.begin() + attributes.axis + 1, dims.end()));
    runs.count = all / runs.run;
  }
  for (size_t i = 0; i < scales.size(); ++i)
    runs.scales.push_back({scales[i], static_cast<int32_t>(zeros[i])});
  return runs;
}

/// Whether the elements are integers of 8 bits that mean nothing but themselves.
bool is_plain_byte(const ir::Value& value) {
  return value.type == ir::DataType::UInt8 ||
         (value.type == ir::DataType::Int8 && !value.quantization.is_known());
}

template <class From, class To>
void convert(const Call& call, const Runs& runs,
             void (*function)(IntegerScale, const From*, To*, int64_t)) {
  constexpr int64_t kPiece = 16 * 1024;  // long runs are cut, short ones handled together
  const auto* from = reinterpret_cast<const From*>(call.inputs[0].data);
  auto* to = reinterpret_cast<To*>(call.outputs[0].data);
  const int64_t pieces = divide_up(runs.run, kPiece);
  const int64_t together = std::max<int64_t>(1, kPiece / runs.run);
  call.pool.parallel_ranges(runs.count * pieces, together, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      const int64_t run = i / pieces, begin = i % pieces * kPiece;
      const IntegerScale& by = runs.scales[static_cast<size_t>(run) % runs.scales.size()];
      const int64_t at = run * runs.run + begin;
      function(by, from + at, to + at, std::min(kPiece, runs.run - begin));
    }
  });
}

Kernel kernel_of(const Request& request, std::string name, Layout from, Layout to) {
  Kernel kernel;
  kernel.name = std::move(name);
  kernel.inputs.assign(request.node.inputs.size(), std::nullopt);
  kernel.inputs[0] = from;
  kernel.outputs = {to};
  return kernel;
}

}  // namespace

std::optional<Kernel> make_quantize(const Request& request) {
  const std::optional<Runs> runs = runs_of(request);
  if (!runs || !ir::is_float(request.input(0).type) || !is_plain_byte(request.output()))
    return std::nullopt;
  const ir::DataType type = request.output().type;
  Kernel kernel = kernel_of(request, "quantize", kLinear, {type, Order::Linear});
  kernel.run = [runs = *runs, type, &loops = pointwise_kernels(request.isa)](const Call& call) {
    if (type == ir::DataType::Int8)
      convert(call, runs, loops.quantize_int8);
    else
      convert(call, runs, loops.quantize_uint8);
  };
  return kernel;
}

std::optional<Kernel> make_dequantize(const Request& request) {
  const std::optional<Runs> runs = runs_of(request);
  if (!runs || !is_plain_byte(request.input(0)) || !ir::is_float(request.output().type))
    return std::nullopt;
  const ir::DataType type = request.input(0).type;
  Kernel kernel = kernel_of(request, "dequantize", {type, Order::Linear}, kLinear);
  kernel.run = [runs = *runs, type, &loops = pointwise_kernels(request.isa)](const Call& call) {
    if (type == ir::DataType::Int8)
      convert(call, runs, loops.dequantize_int8);
    else
      convert(call, runs, loops.dequantize_uint8);
  };
  return kernel;
}

}  // namespace dlaexec::cpu
