#include "tune/timing_cache.h"

#include <array>
#include <charconv>
#include <filesystem>
#include <optional>

#include "base/error.h"
#include "base/file.h"

namespace dlaexec::tune {
namespace {

constexpr std::string_view kHead = "dlaexec timing cache 1";
constexpr std::string_view kSeparator = " | ";

/// The four fields of a line; nothing when there are more or fewer.
std::optional<std::array<std::string, 4>> fields_of(std::string_view line) {
  std::array<std::string, 4> fields;
  for (size_t i = 0; i < fields.size(); ++i) {
    const size_t end = line.find(kSeparator);
    if ((end == std::string_view::npos) != (i + 1 == fields.size())) return std::nullopt;
    fields[i] = line.substr(0, end);
    if (end != std::string_view::npos) line.remove_prefix(end + kSeparator.size());
  }
  return fields;
}

}  // namespace

TimingCache TimingCache::parse(std::string_view text) {
  TimingCache cache;
  int number = 0;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (++number == 1) {
      if (line != kHead)
        fail(
            "a timing cache starts with the line '{}', this one with '{}'; delete it or give "
            "another",
            kHead, std::string(line.substr(0, 60)));
      continue;
    }
    if (line.empty()) continue;
    const auto fields = fields_of(line);
    double microseconds = 0;
    if (!fields || std::from_chars((*fields)[3].data(), (*fields)[3].data() + (*fields)[3].size(),
                                   microseconds)
                           .ptr != (*fields)[3].data() + (*fields)[3].size())
      fail("line {} of the timing cache is not 'device | problem | tactic | microseconds'", number);
    cache.set((*fields)[0], (*fields)[1], {(*fields)[2], microseconds});
  }
  return cache;
}

TimingCache TimingCache::load(const std::string& path) {
  std::error_code unreachable;  // reading it tells why
  if (!std::filesystem::exists(path, unreachable) && !unreachable) return {};
  return in_context([&] { return "reading the timing cache " + path; },
                    [&] { return parse(read_file(path)); });
}

std::string TimingCache::text() const {
  std::string result = std::string(kHead) + "\n";
  for (const auto& [key, decision] : decisions_)
    result += format("{}{}{}{}{}{}{:.3f}\n", key.first, kSeparator, key.second, kSeparator,
                     decision.tactic, kSeparator, decision.microseconds);
  return result;
}

void TimingCache::save(const std::string& path) const { write_file(path, text()); }

const Decision* TimingCache::find(const std::string& device, const std::string& problem) const {
  const auto found = decisions_.find({device, problem});
  return found == decisions_.end() ? nullptr : &found->second;
}

void TimingCache::set(const std::string& device, const std::string& problem, Decision decision) {
  decisions_[{device, problem}] = std::move(decision);
}

void TimingCache::merge(const TimingCache& other) {
  for (const auto& [key, decision] : other.decisions_) {
    const auto [at, fresh] = decisions_.try_emplace(key, decision);
    if (!fresh && decision.microseconds < at->second.microseconds) at->second = decision;
  }
}

}  // namespace dlaexec::tune
