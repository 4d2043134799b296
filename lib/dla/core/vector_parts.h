// What the instruction sets' types are made of. Include it inside the region that compiles for one.

namespace dlaexec::dla::core {
namespace {

/// Several vectors that work side by side as one of 16 numbers.
template <class Vector, int kCount>
struct Parts {
  Vector part[kCount];

  /// The parts that @p make gives for 0, 1, ...
  template <class Make>
  static Parts each(Make&& make) {
    return [&]<int... kIndex>(std::integer_sequence<int, kIndex...>) {
      return Parts{{make(kIndex)...}};
    }
    (std::make_integer_sequence<int, kCount>());
  }
  friend Parts operator+(const Parts& a, const Parts& b) {
    return each([&](int i) { return a.part[i] + b.part[i]; });
  }
  friend Parts operator-(const Parts& a, const Parts& b) {
    return each([&](int i) { return a.part[i] - b.part[i]; });
  }
  friend Parts operator*(const Parts& a, const Parts& b) {
    return each([&](int i) { return a.part[i] * b.part[i]; });
  }
};

/// FP16 convolutions: inputs as FP32, weights FP16 until they are used, sums in FP32. A product is
/// exact in FP32, so a fused multiply-add rounds as the sum alone does.
struct HalfNumbers {
  using Stored = Half;
  using Input = float;
  using Weight = uint16_t;
  using Lane = float;
  using Number = float;
  static constexpr int kPerStep = 1, kBlock = 16;
  static constexpr Input kZero = 0;

  static Weight weight(Half stored) { return stored.bits; }
  static Lane lane(Half stored) { return static_cast<float>(stored); }
  static Number start(int64_t) { return 0; }
  static Input convert_one(Half stored) { return conv_input(stored); }
};

}  // namespace
}  // namespace dlaexec::dla::core
