#include "cpu/strided.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/error.h"

namespace dlaexec::cpu {

StridedRead StridedRead::simplified() const {
  StridedRead simple;
  simple.offset = offset;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == 1) continue;
    if (!simple.dims.empty() && simple.steps.back() == steps[i] * dims[i]) {
      simple.dims.back() *= dims[i];
      simple.steps.back() = steps[i];
    } else {
      simple.dims.push_back(dims[i]);
      simple.steps.push_back(steps[i]);
    }
  }
  if (simple.dims.empty()) {
    simple.dims = {1};
    simple.steps = {1};
  }
  return simple;
}

bool StridedRead::is_run() const { return dims.size() == 1 && steps[0] == 1; }

namespace {

/// Bytes below which a thread is not worth waking.
constexpr int64_t kGrainBytes = 64 * 1024;

/// Where the input elements of the output's run @p index over the last dimensions begin.
int64_t start_of(const StridedRead& read, int64_t index, size_t outer_dims) {
  int64_t at = read.offset;
  for (size_t i = outer_dims; i-- > 0;) {
    at += index % read.dims[i] * read.steps[i];
    index /= read.dims[i];
  }
  return at;
}

template <class T>
void copy_runs(const StridedRead& read, const T* from, T* to, ThreadPool& pool) {
  const size_t outer_dims = read.dims.size() - 1;
  const int64_t inner = read.dims.back(), step = read.steps.back();
  int64_t runs = 1;
  for (size_t i = 0; i < outer_dims; ++i) runs *= read.dims[i];
  const int64_t grain =
      std::max<int64_t>(1, kGrainBytes / (inner * static_cast<int64_t>(sizeof(T))));
  pool.parallel_ranges(runs, grain, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      const T* source = from + start_of(read, i, outer_dims);
      T* target = to + i * inner;
      if (step == 1)
        std::memcpy(target, source, static_cast<size_t>(inner) * sizeof(T));
      else if (step == 0)
        std::fill_n(target, inner, *source);
      else
        for (int64_t j = 0; j < inner; ++j) target[j] = source[j * step];
    }
  });
}

/// The last dimension is far apart in the input, dimension @p near is not: both walk in squares
/// that stay in the nearest cache.
template <class T>
void copy_squares(const StridedRead& read, size_t near, const T* from, T* to, ThreadPool& pool) {
  constexpr int64_t kSide = 16;
  const std::vector<int64_t> dense = ir::dense_strides(read.dims);
  StridedRead outer = read;  // one entry a square row: the near dimension is cut
  outer.dims.pop_back();
  outer.dims[near] = (read.dims[near] + kSide - 1) / kSide;
  outer.steps[near] = kSide;
  int64_t count = 1;
  for (const int64_t dim : outer.dims) count *= dim;
  const int64_t inner = read.dims.back(), step = read.steps.back();
  const int64_t near_step = dense[near];
  const int64_t grain =
      std::max<int64_t>(1, kGrainBytes / (inner * kSide * static_cast<int64_t>(sizeof(T))));
  pool.parallel_ranges(count, grain, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      int64_t source_at = read.offset, target_at = 0, rest = i, begin = 0;
      for (size_t k = outer.dims.size(); k-- > 0;) {
        const int64_t index = rest % outer.dims[k];
        rest /= outer.dims[k];
        source_at += index * outer.steps[k];
        target_at += index * dense[k] * (k == near ? kSide : 1);
        if (k == near) begin = index * kSide;
      }
      const int64_t side = std::min(kSide, read.dims[near] - begin);
      for (int64_t j = 0; j < inner; j += kSide) {
        const int64_t end = std::min(inner, j + kSide);
        for (int64_t n = 0; n < side; ++n)
          for (int64_t m = j; m < end; ++m)
            to[target_at + n * near_step + m] = from[source_at + n + m * step];
      }
    }
  });
}

template <class T>
void read_elements(const StridedRead& read, const std::byte* from, std::byte* to,
                   ThreadPool& pool) {
  const T* source = reinterpret_cast<const T*>(from);
  T* target = reinterpret_cast<T*>(to);
  const size_t outer_dims = read.dims.size() - 1;
  if (read.steps.back() != 1 && read.steps.back() != 0)
    for (size_t i = 0; i < outer_dims; ++i)
      if (read.steps[i] == 1) return copy_squares<T>(read, i, source, target, pool);
  copy_runs<T>(read, source, target, pool);
}

}  // namespace

void read_strided(const StridedRead& read, size_t element_bytes, const std::byte* from,
                  std::byte* to, ThreadPool& pool) {
  switch (element_bytes) {
    case 1:
      return read_elements<uint8_t>(read, from, to, pool);
    case 2:
      return read_elements<uint16_t>(read, from, to, pool);
    case 4:
      return read_elements<uint32_t>(read, from, to, pool);
    case 8:
      return read_elements<uint64_t>(read, from, to, pool);
    default:
      DLAEXEC_CHECK(false);
  }
}

}  // namespace dlaexec::cpu
