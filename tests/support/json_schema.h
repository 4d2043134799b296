// A small JSON Schema validator (draft 7, the keywords that scripts/schema/ uses).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace dlaexec::test {

/// One sentence for each place of @p document that @p schema forbids. A keyword that the validator
/// does not know is an error of its own, so that no promise of a schema goes unchecked.
std::vector<std::string> violations(const nlohmann::json& document, const nlohmann::json& schema);

}  // namespace dlaexec::test
