// The contents of the function tables. Ranges are chosen so that the linear table's interpolation
// errs by less than FP16's own rounding where the function bends.
#include <array>
#include <cmath>

#include "dla/compile/lower.h"

namespace dlaexec::dla {
namespace {

constexpr int kFirstEntries = 65;
constexpr int kLinearEntries = 257;

template <class Function>
Lut build(Builder& builder, Lut lut, Function&& function) {
  std::array<Half, kFirstEntries + kLinearEntries> entries;
  const auto spaced = [](float start, float end, int i, int count) {
    return start + (static_cast<double>(end) - start) * i / (count - 1);
  };
  for (int i = 0; i < kFirstEntries; ++i) {
    const double x = lut.index == LutIndex::Linear
                         ? spaced(lut.first_start, lut.first_end, i, kFirstEntries)
                         : lut.first_start + std::ldexp(1.0, i + lut.first_exponent);
    entries[static_cast<size_t>(i)] = to_half(static_cast<float>(function(x)));
  }
  for (int i = 0; i < kLinearEntries; ++i)
    entries[size_t{kFirstEntries} + static_cast<size_t>(i)] = to_half(
        static_cast<float>(function(spaced(lut.linear_start, lut.linear_end, i, kLinearEntries))));
  lut.entries = builder.add_constants<Half>(entries);
  return lut;
}

}  // namespace

Lut activation_table(Builder& builder, ir::ActivationKind kind) {
  const bool is_tanh = kind == ir::ActivationKind::Tanh;
  Lut lut;
  lut.linear_end = is_tanh ? 4.0f : 8.0f;
  lut.linear_start = -lut.linear_end;
  lut.first_end = 4 * lut.linear_end;
  lut.first_start = -lut.first_end;
  return build(builder, lut,
               [&](double x) { return is_tanh ? std::tanh(x) : 1 / (1 + std::exp(-x)); });
}

Lut lrn_table(Builder& builder, const ir::LrnAttributes& lrn) {
  const double slope = static_cast<double>(lrn.alpha) / static_cast<double>(lrn.size);
  if (!(slope > 0) || !(lrn.bias > 0))
    fail("its alpha is {} and its bias {}; the DLA normalizes with positive ones", lrn.alpha,
         lrn.bias);
  // The function bends around bias / slope: the linear table spans sixteen times that, the
  // exponential one everything an FP17 sum can hold.
  const double knee = std::min(lrn.bias / slope, 0x1p27);
  Lut lut;
  lut.index = LutIndex::Exponential;
  lut.first_start = 0;
  lut.first_exponent = -32;
  lut.first_end = 0x1p32f;
  lut.linear_start = 0;
  lut.linear_end = static_cast<float>(16 * knee);
  return build(builder, lut, [&](double sum) {
    return std::pow(lrn.bias + slope * sum, -static_cast<double>(lrn.beta));
  });
}

}  // namespace dlaexec::dla
