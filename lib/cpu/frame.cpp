#include "cpu/frame.h"

namespace dlaexec::cpu {

void Frame::copy(const float* image, float* framed, ThreadPool& pool) const {
  make(
      pool, [&](int64_t to, int64_t count) { std::fill_n(framed + to, count, 0.0f); },
      [&](int64_t from, int64_t to, int64_t count) {
        std::copy_n(image + from, count, framed + to);
      });
}

}  // namespace dlaexec::cpu
