// Operations made ready for faster code than the reference's. The bits are the reference's.
#pragma once

#include <memory>

#include "base/thread_pool.h"
#include "dla/core/memory.h"

namespace dlaexec::dla::core {

/// One operation with what could be computed before a run: packed weights, tables.
class Prepared {
 public:
  virtual ~Prepared() = default;
  virtual void run(const Memory& memory, ThreadPool& threads) = 0;
};

// Each gives null for an operation that it does not know or that does not pay for it. The loadable
// and the operation must outlive what is prepared.

/// SDP operations whose result depends on few values, as tables of at most 65536 results that the
/// scalar code fills once.
std::unique_ptr<Prepared> prepare_sdp_table(const Loadable& loadable, const Operation& operation,
                                            ThreadPool& threads);
/// LRN by pixels: each element is read and squared once, and the function table is evaluated once
/// for every FP17 number.
std::unique_ptr<Prepared> prepare_lrn(const Loadable& loadable, const Operation& operation,
                                      ThreadPool& threads);
/// Pooling of whole channel blocks.
std::unique_ptr<Prepared> prepare_pooling(const Loadable& loadable, const Operation& operation);

}  // namespace dlaexec::dla::core
