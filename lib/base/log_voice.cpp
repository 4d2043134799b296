#include "base/log_voice.h"

#include <utility>

namespace dlaexec::log {
namespace {

thread_local Voice speaker = Voice::Program;

}  // namespace

Voice voice() { return speaker; }

Speaking::Speaking(Voice voice) : before_(std::exchange(speaker, voice)) {}
Speaking::~Speaking() { speaker = before_; }

}  // namespace dlaexec::log
