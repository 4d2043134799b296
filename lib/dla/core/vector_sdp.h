// The SDP behind a vectorized convolution: 16 kernels of a pixel at a time. Part of
// vector_prepare.h.

namespace dlaexec::dla::core {
namespace {

/// @p Number is what the convolution sums: int32_t or float.
template <class Isa, class Number>
class VectorSdp {
 public:
  VectorSdp(const SdpProgram& program, const Memory& memory, const Operation& operation,
            const SdpParameters& parameters)
      : program_(program),
        memory_(memory),
        output_(memory.view(operation.output)),
        scalar_(memory, operation, parameters),
        sum_unit_(static_cast<float>(factor(parameters.input))) {}

  /// Pixels of an image that follow each other row by row, and kernels from @c kernel on: 16, or
  /// fewer where they end.
  struct Target {
    int64_t image, kernel, lanes, pixel, count;
  };

  /// @p sums has 16 numbers a pixel, the next pixel's @p distance behind.
  void deliver(const Target& target, const Number* sums, int64_t distance) const {
    if (!program_.is_usable || target.kernel % kKernelBlock != 0)
      return deliver_singly(target, sums, distance);
    std::byte* to = place(output_, target);
    const std::byte* operands[kMostStages] = {};
    for (size_t i = 0; i < program_.stages.size(); ++i)
      if (program_.stages[i].cube != kNoCube)
        operands[i] = place(memory_.view(program_.stages[i].cube), target);
    const Layout& layout = output_.layout();
    const int64_t pixel = layout.pixel;  // and the operands', which are of the same shape
    for (int64_t i = 0; i < target.count; ++i, sums += distance) {
      if (target.lanes == kKernelBlock) {
        finish(target.kernel, operands, i * pixel, sums, to + i * pixel);
        continue;
      }
      // What lies behind the last channel is not this tensor's.
      std::byte whole[kKernelBlock * sizeof(Half)];
      finish(target.kernel, operands, i * pixel, sums, whole);
      std::memcpy(to + i * pixel, whole, static_cast<size_t>(target.lanes * layout.element));
    }
  }

 private:
  static constexpr size_t kMostStages = 3;

  static std::byte* place(const CubeView& view, const Target& target) {
    const Layout& layout = view.layout();
    return view.data + target.image * layout.image + target.kernel / layout.lanes * layout.surface +
           target.pixel * layout.pixel + target.kernel % layout.lanes * layout.element;
  }

  void deliver_singly(const Target& target, const Number* sums, int64_t distance) const {
    const int64_t width = output_.dims().w;
    for (int64_t i = 0; i < target.count; ++i, sums += distance)
      for (int64_t lane = 0; lane < target.lanes; ++lane) {
        const int64_t pixel = target.pixel + i;
        deliver_one({target.image, target.kernel + lane, pixel / width, pixel % width}, sums[lane]);
      }
  }

  void deliver_one(const Position& at, Number sum) const {
    if constexpr (std::is_same_v<Number, int32_t>) {
      if (output_.is_int8()) return scalar_.deliver(at, int64_t{sum});
      scalar_.deliver(at, static_cast<float>(sum) * sum_unit_);
    } else {
      scalar_.deliver(at, sum);
    }
  }

  /// In doubles, which hold every intermediate exactly: 33 bits times 16, then an exact shift.
  void finish(int64_t k, const std::byte* const* operands, int64_t offset, const int32_t* sums,
              std::byte* to) const {
    using D = typename Isa::D;
    D value = Isa::to_double(Isa::load_int(sums));
    for (const ProgramStage& stage : program_.stages) {
      const std::byte* const tensor = *operands++;
      if (stage.alu != SdpAlu::None) {
        const D operand = stage.cube == kNoCube ? Isa::load_double(stage.alu_wide.data() + k)
                                                : integer_operand(stage, tensor + offset);
        value = stage.alu == SdpAlu::Sum   ? value + operand
                : stage.alu == SdpAlu::Max ? Isa::max(value, operand)
                                           : Isa::min(value, operand);
      }
      if (stage.mul != SdpMul::None) {
        const D product = Isa::round_away(value * Isa::load_double(stage.mul_wide.data() + k));
        value = stage.mul == SdpMul::All ? product : Isa::where_positive(value, value, product);
      }
      if (stage.saturates) value = clamp(value, kLeast32, kMost32);
      if (stage.is_relu) value = Isa::max(value, Isa::splat(0.0));
    }
    if (program_.out_offset != 0) value = value - Isa::splat(program_.out_offset);
    value = value * Isa::splat(program_.out_factor);
    if (program_.output_saturates) value = clamp(value, -128.0, 127.0);
    Isa::store_int8(to, value);
  }

  static typename Isa::D integer_operand(const ProgramStage& stage, const std::byte* from) {
    using D = typename Isa::D;
    const D stored = Isa::to_double(Isa::load_int8(from));
    const D scaled =
        Isa::round_away((stored - Isa::splat(stage.cube_offset)) * Isa::splat(stage.cube_factor));
    const D operand = clamp(scaled, -32768.0, 32767.0) * Isa::splat(stage.cube_left);
    return clamp(operand, kLeast32, kMost32);
  }

  static typename Isa::D clamp(const typename Isa::D& value, double low, double high) {
    return Isa::min(Isa::max(value, Isa::splat(low)), Isa::splat(high));
  }

  void finish(int64_t k, const std::byte* const* operands, int64_t offset, const float* sums,
              std::byte* to) const {
    using F = typename Isa::F;
    F value = Isa::load_float(sums);
    for (const ProgramStage& stage : program_.stages) {
      const std::byte* const tensor = *operands++;
      if (stage.alu != SdpAlu::None) {
        F operand;
        if (stage.cube == kNoCube) {
          operand = Isa::load_float(stage.alu_single.data() + k);
        } else {
          operand = Isa::load_half(tensor + offset);
          if (stage.cube_factor != 1)
            operand = operand * Isa::splat_float(static_cast<float>(stage.cube_factor));
        }
        value = stage.alu == SdpAlu::Sum   ? value + operand
                : stage.alu == SdpAlu::Max ? Isa::max(value, operand)
                                           : Isa::min(value, operand);
      }
      if (stage.mul != SdpMul::None) {
        const F product = value * Isa::load_float(stage.mul_single.data() + k);
        value = stage.mul == SdpMul::All ? product : Isa::where_positive(value, value, product);
      }
      if (stage.is_relu) value = Isa::max(value, Isa::splat_float(0.0f));
    }
    Isa::store_half(to, value);
  }

  static constexpr double kLeast32 = -2147483648.0;
  static constexpr double kMost32 = 2147483647.0;

  const SdpProgram& program_;
  const Memory& memory_;
  CubeView output_;
  Sdp scalar_;
  float sum_unit_;  ///< of an INT8 convolution that delivers FP16
};

}  // namespace
}  // namespace dlaexec::dla::core
