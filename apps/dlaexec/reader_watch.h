// A reader of standard output that goes away ends the program, also while nothing is printed.
#pragma once

#include <thread>

namespace dlaexec::cli {

/// While one lives, the program ends as SIGPIPE would end it as soon as nobody reads the pipe that
/// its standard output is: measuring without an end prints nothing that would fail.
class ReaderWatch {
 public:
  ReaderWatch();
  ~ReaderWatch();
  ReaderWatch(const ReaderWatch&) = delete;
  ReaderWatch& operator=(const ReaderWatch&) = delete;

 private:
  int stop_[2] = {-1, -1};  ///< a pipe; closing its second end stops the thread
  std::thread thread_;
};

}  // namespace dlaexec::cli
