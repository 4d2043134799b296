// Local response normalization across channels, on linear images.
#include <algorithm>
#include <memory>

#include "cpu/catalog.h"
#include "cpu/kernels/rows.h"
#include "cpu/numbers.h"

namespace dlaexec::cpu {

std::optional<Kernel> make_lrn(const Request& request) {
  const ir::Dims dims = request.output_dims();
  if (dims.size() < 3 || !holds_reals(request.input(0)) || !holds_reals(request.output()))
    return std::nullopt;
  const auto attributes = request.node.get<ir::LrnAttributes>();
  const auto run = row_kernels(request.isa).lrn;
  int64_t pixels = 1;
  for (size_t i = 2; i < dims.size(); ++i) pixels *= dims[i];
  const int64_t channels = dims[1], batch = dims[0];

  Kernel kernel;
  kernel.name = "lrn";
  kernel.inputs = {kLinear};
  kernel.outputs = {kLinear};
  kernel.run = [=](const Call& call) {
    const LrnRun facts{attributes.alpha / static_cast<float>(attributes.size), attributes.beta,
                       attributes.bias, pixels};
    const int64_t before = (attributes.size - 1) / 2, after = attributes.size - 1 - before;
    call.pool.parallel_ranges(
        batch * channels, std::max<int64_t>(1, 4096 / pixels), [&](int64_t first, int64_t last) {
          for (int64_t i = first; i < last; ++i) {
            const int64_t c = i % channels;
            const int64_t low = std::max<int64_t>(0, c - before);
            const int64_t high = std::min(channels - 1, c + after);
            run(facts, call.input(0) + i * pixels, call.input(0) + (i - c + low) * pixels,
                high - low + 1, call.output() + i * pixels);
          }
        });
  };
  return kernel;
}

}  // namespace dlaexec::cpu
