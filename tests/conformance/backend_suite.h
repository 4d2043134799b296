// The ONNX backend suite: cases of one model with inputs and expected outputs.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "conformance/executor.h"

namespace dlaexec::test {

/// A row of cases.tsv.
struct BackendCase {
  std::string suite, name;
  int64_t opset = 0;
  std::vector<std::string> domains, ops, types;
  std::string folder;  ///< of the unpacked case

  /// Whether it is of the standard domain, of an opset and of types that are supported: sequences
  /// and optional values are none of them.
  bool is_eligible() const;
};

/// The suite, unpacked into a temporary folder on the first call; nothing when the data is absent.
const std::vector<BackendCase>* backend_suite();

/// How a found output differs from the expected one; empty: not beyond the tolerance.
using Difference = std::function<std::string(const ir::Tensor& found, const ir::Tensor& expected)>;

/// The first difference of @p found from @p expected beyond the suite's tolerance; empty: none.
std::string difference(const ir::Tensor& found, const ir::Tensor& expected);

/// What went wrong when @p test runs on @p executor; empty: nothing.
std::string failure_of(const BackendCase& test, const Executor& executor,
                       const Difference& difference = test::difference);

/// The tensor of a TensorProto file.
ir::Tensor read_tensor(const std::string& path);

}  // namespace dlaexec::test
