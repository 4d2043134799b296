#include "run/core_use.h"

#include <map>
#include <mutex>

#include "base/error.h"
#include "base/log.h"

namespace dlaexec::run {
namespace {

/// Everything in use at the moment. The hardware is one for all engines of a process, so this is
/// the one state that they share.
struct InUse {
  std::mutex mutex;
  std::map<std::pair<const dla::Platform*, int>, int> loadables;  ///< by board and core
  std::map<const dla::Platform*, int64_t> sram_bytes;             ///< by board
};

InUse& in_use() {
  static InUse all;
  return all;
}

double mebibytes(int64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

}  // namespace

CoreUse::CoreUse(const dla::Platform& board, int core, int loadables, int64_t sram_bytes)
    : board_(board), core_(core), loadables_(loadables), sram_bytes_(sram_bytes) {
  const dla::CoreFacts& facts = dla::core_facts(board.generation);
  InUse& all = in_use();
  const std::lock_guard lock(all.mutex);
  int& held = all.loadables[{&board, core}];
  if (held + loadables > facts.loadables)
    fail(
        "DLA core {} of {} holds {} loadables at most; engines in use hold {} and this plan brings "
        "{}: let one of those engines go first, or take another core with --useDLACore or "
        "IRuntime::setDLACore",
        core, board.title, facts.loadables, held, loadables);
  held += loadables;
  int64_t& asked = all.sram_bytes[&board];
  const bool alone = asked == 0;
  asked += sram_bytes;
  if (!alone && facts.shared_sram_bytes > 0 && asked > facts.shared_sram_bytes)
    log::warning(
        "engines in use ask for {:.4g} MiB of managed SRAM together; the cores of {} share {:.4g} "
        "MiB, so some tensors would lie in DRAM and times would be longer than modelled: build "
        "with "
        "a smaller --memPoolSize=dlaSRAM:",
        mebibytes(asked), board.title, mebibytes(facts.shared_sram_bytes));
}

CoreUse::~CoreUse() {
  InUse& all = in_use();
  const std::lock_guard lock(all.mutex);
  all.loadables[{&board_, core_}] -= loadables_;
  all.sram_bytes[&board_] -= sram_bytes_;
}

}  // namespace dlaexec::run
