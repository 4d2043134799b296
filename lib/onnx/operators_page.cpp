#include "base/format.h"
#include "onnx/import.h"
#include "onnx/operators.h"

namespace dlaexec::onnx {

std::string operators_markdown() {
  std::string page =
      "# ONNX operators\n\n"
      "Made from `operators.def`; a test keeps it up to date (it prints the new page when a row "
      "changed).\n\n"
      "Element types: float32, float16, bfloat16, int8, uint8, int32, int64 and bool, wherever "
      "ONNX "
      "allows them; float64 is read as float32. Sequences, maps, optional values, texts and sparse "
      "tensors are not supported. Every operator runs on the reference, and on the host engine "
      "through a kernel of its own or the reference. What the DLA takes is decided layer by layer "
      "by its rules.\n\n"
      "Operators of a file that are not listed here are all named in one message.\n\n"
      "| operator | domain | opsets |\n|---|---|---|\n";
  size_t count = 0;
  for (const Operator& row : operators()) {
    page += format("| {} | {} | {} to {} |\n", row.name,
                   row.domain.empty() ? "ai.onnx" : row.domain, row.first_opset, row.last_opset);
    ++count;
  }
  page += format(
      "\n{} rows. Models of a newer opset than {} are read as of that one, with a "
      "warning.\n",
      count, kNewestOpset);
  return page;
}

}  // namespace dlaexec::onnx
