// Cases of the ONNX backend suite that are known to fail, from exclusions.def.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "conformance/backend_suite.h"

namespace dlaexec::test {

/// A row of the table: a case's name, where one '*' stands for any text, the executor that fails
/// ("*": all) and why.
struct Exclusion {
  std::string_view name, executor, reason;

  bool covers(const std::string& test, const std::string& on) const;
};

std::span<const Exclusion> exclusions();

/// The row that covers @p test on the executor called @p on; null: none.
const Exclusion* exclusion_of(const BackendCase& test, const std::string& on);

}  // namespace dlaexec::test
