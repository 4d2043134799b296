// The emulated DLA core: runs loadables.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/thread_pool.h"
#include "dla/core/half_sum.h"
#include "dla/loadable.h"

namespace dlaexec::dla::core {

/// Which code computes. All give the same bits.
enum class Isa : uint8_t { Scalar, Avx2, Avx512Vnni, Neon, NeonDot };

/// The fastest that this machine runs.
Isa best_isa();
/// Every one that this machine runs, the scalar one first.
std::vector<Isa> usable_isas();

/// Sees what an operation delivered: the cube, and its elements as they are stored, dense.
using Tap = std::function<void(const Cube& cube, const ir::Tensor& stored)>;

/// A loadable ready to run. Runs one at a time; several cores may share a thread pool.
class Core {
 public:
  /// @p loadable must be verified (deserialize and compile do it) and outlive the core, as must
  /// @p threads.
  /// With HalfSum::Nvdla the scalar code runs FP16 convolutions whatever @p isa is.
  Core(const Loadable& loadable, ThreadPool& threads, Isa isa = best_isa(),
       HalfSum half_sum = HalfSum::Ordered);
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  /// Runs every operation. A buffer per input and output, in the loadable's order, each as large as
  /// its cube's format says; padding in outputs becomes zero. Throws an Error for any other number
  /// or size.
  void run(std::span<const std::span<const std::byte>> inputs,
           std::span<const std::span<std::byte>> outputs, const Tap& tap = {});

  /// The same with dense tensors of the cubes' types, or Float32 to be converted; outputs have the
  /// cubes' types and dimensions.
  std::vector<ir::Tensor> run(std::span<const ir::Tensor> inputs, const Tap& tap = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dlaexec::dla::core

DLAEXEC_ENUM_TEXT(dlaexec::dla::core::Isa, "scalar", "avx2", "avx512-vnni", "neon", "neon-dot");
