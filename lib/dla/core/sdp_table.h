// SDP operations whose result depends on few values, as tables: the scalar code fills them once,
// so that every element is looked up and has the same bits.
#pragma once

#include <memory>
#include <vector>

#include "base/thread_pool.h"
#include "dla/core/memory.h"

namespace dlaexec::dla::core {

/// What an SDP operation makes of each value that its input can hold, by channel where constants
/// differ from channel to channel; or of each pair of Int8 values, where it takes a second tensor.
class SdpTable {
 public:
  /// Null for an operation that no table of at most 65536 results stands for, or whose tensors are
  /// smaller than their table.
  static std::unique_ptr<SdpTable> make(const Loadable& loadable, const Operation& operation,
                                        ThreadPool& threads);

  void run(const Memory& memory, ThreadPool& threads) const;

 private:
  SdpTable(const Loadable& loadable, const Operation& operation) : operation_(operation) {
    is_input_int8_ = loadable.cube(operation.input).type == ir::DataType::Int8;
    is_output_int8_ = loadable.cube(operation.output).type == ir::DataType::Int8;
  }
  void fill(const Loadable& loadable, ThreadPool& threads);
  int64_t rows(const Loadable& loadable) const;
  int64_t values() const { return is_input_int8_ ? 256 : 65536; }
  template <class In, class Out>
  void run_as(const Memory& memory, ThreadPool& threads) const;

  const Operation& operation_;
  bool is_input_int8_ = false, is_output_int8_ = false;
  CubeId other_ = kNoCube;  ///< the second tensor
  bool by_channel_ = false;
  /// The stored bits of the output. Index: channel or first value, then the (second) value.
  std::vector<uint8_t> bytes_;
  std::vector<uint16_t> halves_;
};

}  // namespace dlaexec::dla::core
