#include "cpu/kernels/winograd.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/winograd.cpp"
// clang-format off
#include "cpu/kernels/foreach_isa.h"
#include "cpu/kernels/float_vector-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace dlaexec::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace {

/// One row or column of the input transform: interpolation points 0, 1, -1, 2, -2 and infinity.
HWY_INLINE void input_line(const Vector (&in)[6], Vector (&out)[6]) {
  const Floats d;
  const Vector two = hn::Set(d, 2.0f), four = hn::Set(d, 4.0f), five = hn::Set(d, 5.0f);
  const Vector even = hn::NegMulAdd(four, in[2], in[4]);  // x4 - 4 x2
  const Vector odd = hn::NegMulAdd(four, in[1], in[3]);   // x3 - 4 x1
  const Vector even2 = hn::Sub(in[4], in[2]);
  const Vector odd2 = hn::Mul(two, hn::Sub(in[3], in[1]));
  out[0] = hn::MulAdd(four, in[0], hn::NegMulAdd(five, in[2], in[4]));
  out[1] = hn::Add(even, odd);
  out[2] = hn::Sub(even, odd);
  out[3] = hn::Add(even2, odd2);
  out[4] = hn::Sub(even2, odd2);
  out[5] = hn::MulAdd(four, in[1], hn::NegMulAdd(five, in[3], in[5]));
}

/// One row or column of the output transform.
HWY_INLINE void output_line(const Vector (&in)[6], Vector (&out)[4]) {
  const Floats d;
  const Vector two = hn::Set(d, 2.0f), four = hn::Set(d, 4.0f), eight = hn::Set(d, 8.0f);
  const Vector sum1 = hn::Add(in[1], in[2]), difference1 = hn::Sub(in[1], in[2]);
  const Vector sum2 = hn::Add(in[3], in[4]), difference2 = hn::Sub(in[3], in[4]);
  out[0] = hn::Add(hn::Add(in[0], sum1), sum2);
  out[1] = hn::MulAdd(two, difference2, difference1);
  out[2] = hn::MulAdd(four, sum2, sum1);
  out[3] = hn::Add(hn::MulAdd(eight, difference2, difference1), in[5]);
}

void transform_input(const WinogradTile& tile, const float* image, float* factors) {
  const Floats d;
  const bool inside =
      tile.y >= 0 && tile.x >= 0 && tile.y + 6 <= tile.height && tile.x + 6 <= tile.width;
  for (int64_t lane = 0; lane < 16; lane += kLanes) {
    Vector half[6][6];  // columns transformed: [column][row of the transform]
#pragma GCC unroll 6
    for (int64_t c = 0; c < 6; ++c) {
      Vector column[6];
#pragma GCC unroll 6
      for (int64_t r = 0; r < 6; ++r) {
        const int64_t y = tile.y + r, x = tile.x + c;
        const bool is_pixel = inside || (y >= 0 && x >= 0 && y < tile.height && x < tile.width);
        column[r] = is_pixel ? hn::LoadU(d, image + (y * tile.width + x) * 16 + lane) : hn::Zero(d);
      }
      input_line(column, half[c]);
    }
#pragma GCC unroll 6
    for (int64_t r = 0; r < 6; ++r) {
      const Vector row[6] = {half[0][r], half[1][r], half[2][r],
                             half[3][r], half[4][r], half[5][r]};
      Vector out[6];
      input_line(row, out);
#pragma GCC unroll 6
      for (int64_t c = 0; c < 6; ++c)
        hn::StoreU(out[c], d, factors + (r * 6 + c) * tile.step + lane);
    }
  }
}

void transform_output(const WinogradTile& tile, const float* products, const float* bias,
                      const float* residual, float low, float high, float* image) {
  const Floats d;
  const Vector lowest = hn::Set(d, low), highest = hn::Set(d, high);
  const int64_t rows = std::min<int64_t>(4, tile.height - tile.y);
  const int64_t columns = std::min<int64_t>(4, tile.width - tile.x);
  for (int64_t lane = 0; lane < 16; lane += kLanes) {
    Vector half[6][4];  // [column of the products][row of pixels]
#pragma GCC unroll 6
    for (int64_t c = 0; c < 6; ++c) {
      Vector column[6];
#pragma GCC unroll 6
      for (int64_t r = 0; r < 6; ++r)
        column[r] = hn::LoadU(d, products + (r * 6 + c) * tile.step + lane);
      output_line(column, half[c]);
    }
    const Vector offset = hn::LoadU(d, bias + lane);
#pragma GCC unroll 4
    for (int64_t r = 0; r < 4; ++r) {
      if (r >= rows) break;
      const Vector row[6] = {half[0][r], half[1][r], half[2][r],
                             half[3][r], half[4][r], half[5][r]};
      Vector out[4];
      output_line(row, out);
      const int64_t at = ((tile.y + r) * tile.width + tile.x) * 16 + lane;
#pragma GCC unroll 4
      for (int64_t c = 0; c < 4; ++c) {
        if (c >= columns) break;
        Vector value = hn::Add(out[c], offset);
        if (residual != nullptr) value = hn::Add(value, hn::LoadU(d, residual + at + c * 16));
        value = between(lowest, highest, value);
        hn::StoreU(value, d, image + at + c * 16);
      }
    }
  }
}

}  // namespace

extern const WinogradKernels kWinogradKernels;
const WinogradKernels kWinogradKernels{&transform_input, &transform_output};

}  // namespace dlaexec::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dlaexec::cpu {

const WinogradKernels& winograd_kernels(Isa isa) { return DLAEXEC_FOR_ISA(isa, kWinogradKernels); }

}  // namespace dlaexec::cpu
#endif
