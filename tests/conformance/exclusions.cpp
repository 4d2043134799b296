#include "conformance/exclusions.h"

namespace dlaexec::test {
namespace {

constexpr Exclusion kExclusions[] = {
#define DLAEXEC_EXCLUDED(name, executor, reason) {name, executor, reason},
#include "conformance/exclusions.def"
};

}  // namespace

bool Exclusion::covers(const std::string& test, const std::string& on) const {
  if (executor != "*" && executor != on) return false;
  const size_t star = name.find('*');
  if (star == std::string_view::npos) return test == name;
  return test.starts_with(name.substr(0, star)) && test.ends_with(name.substr(star + 1));
}

std::span<const Exclusion> exclusions() { return kExclusions; }

const Exclusion* exclusion_of(const BackendCase& test, const std::string& on) {
  for (const Exclusion& exclusion : kExclusions)
    if (exclusion.covers(test.name, on)) return &exclusion;
  return nullptr;
}

}  // namespace dlaexec::test
