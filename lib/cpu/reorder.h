// Changes of layout: between a value's own type and floats, between linear and blocked.
#pragma once

#include <functional>
#include <string>

#include "cpu/kernel.h"
#include "cpu/numbers.h"

namespace dlaexec::cpu {

/// A layout change as a step's function; no function where the bytes are the same already.
struct Reorder {
  std::string name;
  std::function<void(const Call&)> run;
};

/// One of: own type <-> linear floats, linear floats <-> blocked floats.
Reorder make_reorder(const ir::Value& value, Layout from, Layout to, Isa isa);

/// A constant's elements as @p layout has them, as one-dimensional bytes of the storage type.
ir::Tensor laid_out(const ir::Value& value, Layout layout);

/// Rounds @p count floats in place.
void round_numbers(Isa isa, Rounding rounding, float* numbers, int64_t count, ThreadPool& pool);

/// Rounds without threads, for kernels that do it while the numbers are near.
void round_numbers(Isa isa, Rounding rounding, float* numbers, int64_t count);

/// Linear [N, C, pixels] to blocked; lanes past C become 0. One call does one image.
void block_image(const float* linear, float* blocked, int64_t channels, int64_t pixels,
                 ThreadPool& pool);
void unblock_image(const float* blocked, float* linear, int64_t channels, int64_t pixels,
                   ThreadPool& pool);

}  // namespace dlaexec::cpu
