#include "tune/timing_cache_file.h"

#include <filesystem>

#include "base/error.h"
#include "base/log.h"
#include "base/log_voice.h"

namespace dlaexec::tune {

TimingCacheFile::TimingCacheFile(std::string path) : path_(std::move(path)) {
  if (path_.empty()) return;
  const log::Speaking program(log::Voice::Program);  // trtexec does this itself
  std::error_code unreachable;                       // reading it tells why
  if (!std::filesystem::exists(path_, unreachable) && !unreachable) {
    log::warning("Could not read timing cache from: {}. A new timing cache will be generated.",
                 path_);
    return;
  }
  cache_ = TimingCache::load(path_);
  log::info("Loaded {} bytes of timing cache from {}", cache_.text().size(), path_);
}

void TimingCacheFile::save() {
  if (path_.empty()) return;
  const log::Speaking program(log::Voice::Program);
  try {
    cache_.merge(TimingCache::load(path_));
    cache_.save(path_);
    log::info("Saved {} bytes of timing cache to {}", cache_.text().size(), path_);
  } catch (const Error& error) {
    log::warning("Could not write timing cache to: {} ({})", path_, error.sentence());
  }
}

}  // namespace dlaexec::tune
