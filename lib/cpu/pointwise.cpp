// Nodes that work element by element: activations, unary and binary functions, scale.
#include <algorithm>
#include <cmath>
#include <memory>

#include "cpu/broadcast.h"
#include "cpu/catalog.h"
#include "cpu/kernels/pointwise.h"
#include "cpu/numbers.h"

namespace dlaexec::cpu {
namespace {

/// Elements for which a thread is worth waking.
constexpr int64_t kGrain = 16 * 1024;

bool all_real(const Request& request) {
  for (const ir::ValueId id : request.node.inputs)
    if (!holds_reals(request.graph.value(id))) return false;
  return holds_reals(request.output());
}

/// A node with one data input that is mapped flat, in whichever order it lies.
template <class Map>
Kernel map_kernel(const Request& request, std::string name, Map map) {
  const Layout layout = request.exists_as(0, kBlocked) ? kBlocked : kLinear;
  const int64_t count = size_bytes(request.output_dims(), layout) / 4;
  Kernel kernel;
  kernel.name = std::move(name);
  kernel.inputs.assign(request.node.inputs.size(), std::nullopt);
  kernel.inputs[0] = layout;
  kernel.outputs = {layout};
  kernel.may_overwrite = {0};
  kernel.run = [count, map](const Call& call) {
    call.pool.parallel_ranges(count, kGrain, [&](int64_t first, int64_t last) {
      map(call.input(0) + first, call.output() + first, last - first);
    });
  };
  return kernel;
}

}  // namespace

std::optional<Kernel> make_activation(const Request& request) {
  if (!all_real(request)) return std::nullopt;
  const auto& attributes = request.node.get<ir::ActivationAttributes>();
  const Activation activation{attributes.kind, attributes.alpha, attributes.beta};
  const auto activate = pointwise_kernels(request.isa).activate;
  return map_kernel(request, "activation", [=](const float* input, float* output, int64_t count) {
    activate(activation, input, output, count);
  });
}

std::optional<Kernel> make_unary(const Request& request) {
  const ir::UnaryKind kind = request.node.get<ir::UnaryAttributes>().kind;
  const PointwiseKernels& kernels = pointwise_kernels(request.isa);
  if (!all_real(request) || !kernels.has_unary(kind)) return std::nullopt;
  return map_kernel(request, "unary",
                    [kind, run = kernels.unary](const float* input, float* output, int64_t count) {
                      run(kind, input, output, count);
                    });
}

namespace {

/// How an operand of a blocked elementwise node stands to the output.
enum class Part : uint8_t { Same, Channels, Single, Other };

Part part_of(const ir::Dims& operand, const ir::Dims& output) {
  if (operand == output) return Part::Same;
  if (ir::volume(operand) == 1) return Part::Single;
  if (operand.size() != output.size() || operand[1] != output[1]) return Part::Other;
  if (operand[0] != 1 && operand[0] != output[0]) return Part::Other;
  const bool flat =
      std::all_of(operand.begin() + 2, operand.end(), [](int64_t dim) { return dim == 1; });
  return flat ? Part::Channels : Part::Other;
}

struct Binary {
  ir::ElementwiseKind kind;
  Activation activation;
  const PointwiseKernels* kernels;

  void activate(float* numbers, int64_t count) const {
    if (activation.kind != ir::ActivationKind::None)
      kernels->activate(activation, numbers, numbers, count);
  }
};

Kernel start_binary(Layout layout) {
  Kernel kernel;
  kernel.name = "elementwise";
  kernel.inputs.assign(2, layout);
  kernel.outputs = {layout};
  return kernel;
}

/// Both operands like the output, or one of them one number, in either order.
Kernel make_flat_binary(const Request& request, const Binary& binary, Layout layout,
                        std::array<Part, 2> parts) {
  Kernel kernel = start_binary(layout);
  for (size_t i = 0; i < 2; ++i) {
    if (parts[i] == Part::Same) kernel.may_overwrite.push_back(static_cast<int>(i));
    if (parts[i] == Part::Single) kernel.inputs[i] = kLinear;
  }
  const int64_t count = size_bytes(request.output_dims(), layout) / 4;
  const int64_t left_step = parts[0] == Part::Same, right_step = parts[1] == Part::Same;
  kernel.run = [=](const Call& call) {
    // Read before an operand may be overwritten: nobody writes over a single number.
    call.pool.parallel_ranges(count, kGrain, [&](int64_t first, int64_t last) {
      binary.kernels->binary(binary.kind, call.input(0) + first * left_step, left_step,
                             call.input(1) + first * right_step, right_step, call.output() + first,
                             last - first);
      binary.activate(call.output() + first, last - first);
    });
  };
  return kernel;
}

/// A blocked image and one number per channel, such as a gate.
Kernel make_channel_binary(const Request& request, const Binary& binary,
                           std::array<Part, 2> parts) {
  Kernel kernel = start_binary(kBlocked);
  const ImageDims image = image_dims(request.output_dims());
  std::array<int64_t, 2> batch_step{};  // blocks between images
  for (size_t i = 0; i < 2; ++i) {
    const ImageDims operand = image_dims(request.input_dims(i));
    batch_step[i] = operand.batch == 1 && image.batch != 1 ? 0 : operand.blocks();
    if (parts[i] == Part::Same) kernel.may_overwrite.push_back(static_cast<int>(i));
  }
  const bool left_repeats = parts[0] != Part::Same, right_repeats = parts[1] != Part::Same;
  kernel.run = [=](const Call& call) {
    const int64_t blocks = image.blocks(), run = image.pixels() * kBlock;
    const int64_t grain = std::max<int64_t>(1, kGrain / run);
    call.pool.parallel_ranges(image.batch * blocks, grain, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) {
        const int64_t n = i / blocks, block = i % blocks;
        const float* left =
            call.input(0) + (n * batch_step[0] + block) * (left_repeats ? kBlock : run);
        const float* right =
            call.input(1) + (n * batch_step[1] + block) * (right_repeats ? kBlock : run);
        float* output = call.output() + i * run;
        binary.kernels->binary_rows(binary.kind, left, left_repeats, right, right_repeats, output,
                                    image.pixels());
        binary.activate(output, run);
      }
    });
  };
  return kernel;
}

/// Any broadcast, on linear operands.
Kernel make_broadcast_binary(const Request& request, const Binary& binary) {
  Kernel kernel = start_binary(kLinear);
  const Broadcast walk =
      make_broadcast(request.input_dims(0), request.input_dims(1), request.output_dims());
  const bool is_empty = ir::volume(request.output_dims()) == 0;
  kernel.run = [=](const Call& call) {
    if (is_empty) return;
    const int64_t inner = walk.inner();
    const int64_t grain = std::max<int64_t>(1, kGrain / inner);
    call.pool.parallel_ranges(walk.runs(), grain, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i)
        binary.kernels->binary(binary.kind, call.input(0) + walk.offset(0, i), walk.steps[0].back(),
                               call.input(1) + walk.offset(1, i), walk.steps[1].back(),
                               call.output() + i * inner, inner);
      binary.activate(call.output() + first * inner, (last - first) * inner);
    });
  };
  return kernel;
}

}  // namespace

std::optional<Kernel> make_elementwise(const Request& request) {
  const auto& attributes = request.node.get<ir::ElementwiseAttributes>();
  const PointwiseKernels& kernels = pointwise_kernels(request.isa);
  if (!all_real(request) || !kernels.has_binary(attributes.kind)) return std::nullopt;
  const Binary binary{
      attributes.kind, {attributes.activation, attributes.alpha, attributes.beta}, &kernels};
  const ir::Dims output = request.output_dims();
  const std::array<Part, 2> parts{part_of(request.input_dims(0), output),
                                  part_of(request.input_dims(1), output)};
  const auto is = [&](Part part) { return parts[0] == part || parts[1] == part; };
  const bool blocked = can_block(output) && !is(Part::Other) &&
                       ((parts[0] == Part::Same && request.exists_as(0, kBlocked)) ||
                        (parts[1] == Part::Same && request.exists_as(1, kBlocked)));
  if (blocked && is(Part::Channels)) return make_channel_binary(request, binary, parts);
  if (is(Part::Same) && !is(Part::Channels) && !is(Part::Other))
    return make_flat_binary(request, binary, blocked ? kBlocked : kLinear, parts);
  return make_broadcast_binary(request, binary);
}

namespace {

/// y = factor * x + addend per channel.
struct Affine {
  std::vector<float> factor, addend;
};

/// The numbers of a Scale or BatchNorm whose operands are known and per channel or single.
std::optional<Affine> known_affine(const Request& request, int64_t channels) {
  std::vector<std::vector<float>> operands;
  for (size_t i = 1; i < request.node.inputs.size(); ++i) {
    if (request.constant(i) == nullptr) return std::nullopt;
    operands.push_back(real_numbers(request.input(i)));
    if (operands.back().size() == 1)
      operands.back().assign(static_cast<size_t>(channels), operands.back()[0]);
    if (static_cast<int64_t>(operands.back().size()) != channels) return std::nullopt;
  }
  Affine affine{operands[0], operands[1]};
  if (request.node.op == ir::Op::Scale) return affine;
  const float epsilon = request.node.get<ir::BatchNormAttributes>().epsilon;
  for (size_t c = 0; c < affine.factor.size(); ++c) {
    affine.factor[c] /= std::sqrt(operands[3][c] + epsilon);
    affine.addend[c] -= operands[2][c] * affine.factor[c];
  }
  return affine;
}

}  // namespace

std::optional<Kernel> make_scale(const Request& request) {
  const ir::Dims dims = request.output_dims();
  if (!all_real(request) || dims.size() < 2) return std::nullopt;
  std::optional<Affine> affine = known_affine(request, dims[1]);
  if (!affine) return std::nullopt;
  const PointwiseKernels* kernels = &pointwise_kernels(request.isa);
  const bool blocked = request.exists_as(0, kBlocked);
  int64_t pixels = 1;
  for (size_t i = 2; i < dims.size(); ++i) pixels *= dims[i];
  const int64_t channels = dims[1], blocks = divide_up(channels, kBlock), batch = dims[0];
  affine->factor.resize(static_cast<size_t>(blocks * kBlock));
  affine->addend.resize(static_cast<size_t>(blocks * kBlock));

  Kernel kernel;
  kernel.name = "scale";
  kernel.inputs.assign(request.node.inputs.size(), std::nullopt);
  kernel.inputs[0] = blocked ? kBlocked : kLinear;
  kernel.outputs = {blocked ? kBlocked : kLinear};
  kernel.may_overwrite = {0};
  kernel.run = [=, numbers = std::move(*affine)](const Call& call) {
    const int64_t per_image = blocked ? blocks : channels;
    const int64_t run = blocked ? pixels * kBlock : pixels;
    const int64_t grain = std::max<int64_t>(1, kGrain / std::max<int64_t>(1, run));
    call.pool.parallel_ranges(batch * per_image, grain, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) {
        const float* input = call.input(0) + i * run;
        float* output = call.output() + i * run;
        const float* factor = numbers.factor.data() + i % per_image * (blocked ? kBlock : 1);
        const float* addend = numbers.addend.data() + i % per_image * (blocked ? kBlock : 1);
        if (blocked)
          kernels->scale_rows(input, factor, addend, output, pixels);
        else
          kernels->scale(input, *factor, *addend, output, run);
      }
    });
  };
  return kernel;
}

}  // namespace dlaexec::cpu
