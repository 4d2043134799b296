// Nodes that work on rows along one or the last dimensions: softmax, normalization, reduction.
#include <algorithm>
#include <memory>
#include <vector>

#include "cpu/catalog.h"
#include "cpu/kernels/rows.h"
#include "cpu/numbers.h"

namespace dlaexec::cpu {
namespace {

constexpr int64_t kGrain = 8 * 1024;

int64_t volume_of(const ir::Dims& dims, size_t first, size_t last) {
  int64_t count = 1;
  for (size_t i = first; i < last; ++i) count *= dims[i];
  return count;
}

bool all_real(const Request& request) {
  for (const ir::ValueId id : request.node.inputs)
    if (id != ir::kNoValue && !holds_reals(request.graph.value(id))) return false;
  return holds_reals(request.output());
}

Kernel row_kernel(const Request& request, std::string name) {
  Kernel kernel;
  kernel.name = std::move(name);
  for (size_t i = 0; i < request.node.inputs.size(); ++i)
    kernel.inputs.push_back(request.has_input(i) ? std::optional<Layout>(kLinear) : std::nullopt);
  kernel.outputs = {kLinear};
  return kernel;
}

using RowFunction = void (*)(const float* input, float* output, int64_t count);

/// Numbers @p step apart are gathered into a row, worked on, and put where they belong.
void run_apart(RowFunction function, const float* input, float* output, int64_t count,
               int64_t step) {
  std::vector<float> row(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) row[static_cast<size_t>(i)] = input[i * step];
  function(row.data(), row.data(), count);
  for (int64_t i = 0; i < count; ++i) output[i * step] = row[static_cast<size_t>(i)];
}

}  // namespace

std::optional<Kernel> make_softmax(const Request& request) {
  const auto& attributes = request.node.get<ir::SoftmaxAttributes>();
  if (!all_real(request) || attributes.kind == ir::SoftmaxKind::Hardmax) return std::nullopt;
  const RowKernels& rows = row_kernels(request.isa);
  const RowFunction function =
      attributes.kind == ir::SoftmaxKind::Softmax ? rows.softmax : rows.log_softmax;
  const ir::Dims dims = request.output_dims();
  const size_t rank = dims.size();
  const size_t axis =
      static_cast<size_t>(attributes.axis + (attributes.axis < 0 ? std::ssize(dims) : 0));
  const size_t end = attributes.flatten ? rank : std::min(rank, axis + 1);
  const int64_t count = volume_of(dims, axis, end), step = volume_of(dims, end, rank);
  const int64_t outer = volume_of(dims, 0, axis);
  Kernel kernel = row_kernel(request, "softmax");
  kernel.may_overwrite = {0};
  kernel.run = [=](const Call& call) {
    call.pool.parallel_ranges(
        outer * step, std::max<int64_t>(1, kGrain / count), [&](int64_t first, int64_t last) {
          for (int64_t i = first; i < last; ++i) {
            const int64_t at = i / step * count * step + i % step;
            if (step == 1)
              function(call.input(0) + at, call.output() + at, count);
            else
              run_apart(function, call.input(0) + at, call.output() + at, count, step);
          }
        });
  };
  return kernel;
}

std::optional<Kernel> make_last_axes_norm(const Request& request) {
  const auto attributes = request.node.get<ir::NormAttributes>();
  const ir::Dims dims = request.output_dims();
  const int64_t rank = std::ssize(dims);
  const size_t axis = static_cast<size_t>(attributes.axis + (attributes.axis < 0 ? rank : 0));
  const int64_t count = volume_of(dims, axis, dims.size());
  if (!all_real(request) || request.node.outputs.size() != 1) return std::nullopt;
  for (size_t i = 1; i < request.node.inputs.size(); ++i)
    if (request.has_input(i) && ir::volume(request.input_dims(i)) != count) return std::nullopt;
  const bool centred = request.node.op == ir::Op::LayerNorm;
  const bool has_bias = request.has_input(2);
  const RowKernels* rows = &row_kernels(request.isa);
  const int64_t outer = volume_of(dims, 0, axis);
  Kernel kernel = row_kernel(request, centred ? "norm.layer" : "norm.rms");
  kernel.may_overwrite = {0};
  kernel.run = [=](const Call& call) {
    const float* bias = has_bias ? call.input(2) : nullptr;
    call.pool.parallel_ranges(
        outer, std::max<int64_t>(1, kGrain / count), [&](int64_t first, int64_t last) {
          for (int64_t i = first; i < last; ++i) {
            const float* from = call.input(0) + i * count;
            float* to = call.output() + i * count;
            if (centred)
              rows->layer_norm(from, call.input(1), bias, attributes.epsilon, to, count);
            else
              rows->rms_norm(from, call.input(1), attributes.epsilon, to, count);
          }
        });
  };
  return kernel;
}

std::optional<Kernel> make_instance_norm(const Request& request) {
  const ir::Dims dims = request.output_dims();
  if (!all_real(request) || dims.size() < 3) return std::nullopt;
  const float epsilon = request.node.get<ir::NormAttributes>().epsilon;
  const auto run = row_kernels(request.isa).instance_norm;
  const int64_t channels = dims[1], count = volume_of(dims, 2, dims.size());
  const int64_t images = dims[0];
  Kernel kernel = row_kernel(request, "norm.instance");
  kernel.may_overwrite = {0};
  kernel.run = [=](const Call& call) {
    call.pool.parallel_ranges(
        images * channels, std::max<int64_t>(1, kGrain / count), [&](int64_t first, int64_t last) {
          for (int64_t i = first; i < last; ++i)
            run(call.input(0) + i * count, call.input(1)[i % channels], call.input(2)[i % channels],
                epsilon, call.output() + i * count, count);
        });
  };
  return kernel;
}

std::optional<Kernel> make_last_axes_reduce(const Request& request) {
  const auto attributes = request.node.get<ir::ReduceAttributes>();
  const ir::Dims dims = request.input_dims(0);
  if (!all_real(request) || request.node.inputs.size() != 1 || attributes.axes.empty())
    return std::nullopt;
  const size_t kept = dims.size() - attributes.axes.size();
  for (size_t i = 0; i < attributes.axes.size(); ++i)
    if (attributes.axes[i] != static_cast<int64_t>(kept + i)) return std::nullopt;
  const RowKernels& rows = row_kernels(request.isa);
  const int64_t count = volume_of(dims, kept, dims.size()), outer = volume_of(dims, 0, kept);
  float (*function)(const float*, int64_t) = nullptr;
  if (attributes.kind == ir::ReduceKind::Sum || attributes.kind == ir::ReduceKind::Mean)
    function = rows.sum;
  if (attributes.kind == ir::ReduceKind::Max) function = rows.max;
  if (attributes.kind == ir::ReduceKind::Min) function = rows.min;
  if (function == nullptr) return std::nullopt;
  const float divisor = attributes.kind == ir::ReduceKind::Mean ? static_cast<float>(count) : 1.0f;
  Kernel kernel = row_kernel(request, "reduce.rows");
  kernel.run = [=](const Call& call) {
    call.pool.parallel_ranges(
        outer, std::max<int64_t>(1, kGrain / count), [&](int64_t first, int64_t last) {
          for (int64_t i = first; i < last; ++i)
            call.output()[i] = function(call.input(0) + i * count, count) / divisor;
        });
  };
  return kernel;
}

}  // namespace dlaexec::cpu
