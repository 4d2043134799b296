// What was measured once, as text: one decision a line, so that caches can be read, merged and
// compared.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace dlaexec::tune {

/// The fastest tactic found for a problem.
struct Decision {
  std::string tactic;
  double microseconds = 0;
  friend bool operator==(const Decision&, const Decision&) = default;
};

/// Decisions by device and problem. In text, after a first line that names the format:
///   <device> | <problem> | <tactic> | <microseconds>
class TimingCache {
 public:
  /// Throws an Error that gives the line when @p text is no cache.
  static TimingCache parse(std::string_view text);
  /// The cache in file @p path; an empty one when there is no such file.
  static TimingCache load(const std::string& path);

  /// Sorted by device and problem: the same decisions give the same text.
  std::string text() const;
  void save(const std::string& path) const;

  /// Null when nothing is known.
  const Decision* find(const std::string& device, const std::string& problem) const;
  void set(const std::string& device, const std::string& problem, Decision decision);
  /// Takes over what @p other knows; of two decisions for one problem the faster stays.
  void merge(const TimingCache& other);
  size_t size() const { return decisions_.size(); }

 private:
  std::map<std::pair<std::string, std::string>, Decision> decisions_;
};

}  // namespace dlaexec::tune
