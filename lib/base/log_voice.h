// Whose words a log line is: the program's own, or those of the library that it drives. trtexec
// marks the latter, and scripts search for the mark.
#pragma once

namespace dlaexec::log {

enum class Voice { Program, Library };

/// Who speaks on this thread.
Voice voice();

/// What this thread logs is @p voice's for as long as it lives.
class Speaking {
 public:
  explicit Speaking(Voice voice);
  ~Speaking();
  Speaking(const Speaking&) = delete;
  Speaking& operator=(const Speaking&) = delete;

 private:
  Voice before_;
};

}  // namespace dlaexec::log
