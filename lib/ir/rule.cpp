#include "ir/rule.h"

#include <algorithm>

namespace dlaexec::ir {
namespace {

std::string number_text(double value) { return format("{:.10g}", value); }

std::string in_text(std::string_view fact, const In& in) {
  if (in.low == in.high) return format("{} = {}", fact, number_text(in.low));
  return format("{} in [{}, {}]", fact, number_text(in.low), number_text(in.high));
}

std::string one_of_text(std::string_view fact, const OneOf& need) {
  const std::span values(need.values.data(), need.count);
  return format("{} one of {}", fact, join(values, ", ", number_text));
}

/// What was found, if the need is not met.
struct Breach {
  const Layer& layer;
  const Fact* fact;

  template <class Accepts>
  std::optional<std::string> unless_all(Accepts&& accepts) const {
    std::vector<double> values = fact->read(layer);
    if (std::all_of(values.begin(), values.end(), accepts)) return std::nullopt;
    if (fact->shown == Fact::Shown::Axes) return join(values, "x", number_text);
    std::vector<double> wrong;
    for (const double value : values)
      if (!accepts(value) && std::find(wrong.begin(), wrong.end(), value) == wrong.end())
        wrong.push_back(value);
    return join(wrong, ", ", number_text);
  }
  std::optional<std::string> operator()(const In& in) const {
    return unless_all([&](double value) { return in.low <= value && value <= in.high; });
  }
  std::optional<std::string> operator()(const OneOf& need) const {
    const auto end = need.values.begin() + static_cast<ptrdiff_t>(need.count);
    return unless_all(
        [&](double value) { return std::find(need.values.begin(), end, value) != end; });
  }
  std::optional<std::string> operator()(const Holds& need) const { return need.breach(layer); }
  std::optional<std::string> operator()(const Never&) const { return std::string(); }
};

std::string fill(std::string_view pattern, std::string_view placeholder, std::string_view text) {
  std::string filled(pattern);
  const size_t at = filled.find(placeholder);
  if (at != std::string::npos) filled.replace(at, placeholder.size(), text);
  return filled;
}

}  // namespace

std::string Finding::sentence() const {
  const std::string has = value.empty() ? "" : ", has " + value;
  return format("needs {}{}. {} [{}]", limit, has, reason, rule);
}

std::string limit_text(const Rule& rule) {
  const std::string_view fact = rule.fact ? rule.fact->name : std::string_view();
  if (const auto* in = std::get_if<In>(&rule.need)) return in_text(fact, *in);
  if (const auto* one_of = std::get_if<OneOf>(&rule.need)) return one_of_text(fact, *one_of);
  if (const auto* holds = std::get_if<Holds>(&rule.need)) return std::string(holds->text);
  return std::string(std::get<Never>(rule.need).text);
}

std::optional<Finding> check(const Layer& layer, const Rule& rule) {
  std::optional<std::string> found = std::visit(Breach{layer, rule.fact}, rule.need);
  if (!found) return std::nullopt;
  Finding finding;
  finding.rule = rule.id;
  finding.limit = limit_text(rule);
  finding.reason = rule.reason;
  finding.source = rule.source;
  finding.log = rule.log.empty()
                    ? finding.reason
                    : fill(fill(rule.log, "{value}", *found), "{layer}", layer.node.name);
  finding.value = std::move(*found);
  finding.effect = rule.effect;
  return finding;
}

bool refuses(std::span<const Finding> findings) {
  return std::any_of(findings.begin(), findings.end(),
                     [](const Finding& finding) { return finding.effect == Effect::Refuses; });
}

}  // namespace dlaexec::ir
