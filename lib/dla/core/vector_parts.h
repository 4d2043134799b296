// Several vectors that work side by side as one of 16 numbers.
// Written once for all instruction sets: include it as vector_conv_kernel.h.

namespace dlaexec::dla::core {
namespace {

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

}  // namespace
}  // namespace dlaexec::dla::core
