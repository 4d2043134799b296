// The file of --timingCacheFile over one build: read before it, extended after it, with trtexec's
// words about both.
#pragma once

#include <string>

#include "tune/timing_cache.h"

namespace dlaexec::tune {

class TimingCacheFile {
 public:
  /// Reads the file at @p path, if there is one; nothing is read or kept for an empty path. Throws
  /// an Error when the file is something else.
  explicit TimingCacheFile(std::string path);

  TimingCache& cache() { return cache_; }
  /// Writes what is known, together with what others wrote meanwhile. A file that cannot be written
  /// is a warning: the build is good all the same.
  void save();

 private:
  std::string path_;
  TimingCache cache_;
};

}  // namespace dlaexec::tune
