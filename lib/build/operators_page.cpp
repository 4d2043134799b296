#include "build/operators_page.h"

#include <algorithm>

#include "base/format.h"
#include "cpu/catalog.h"
#include "dla/rules.h"
#include "gpu/families.h"
#include "onnx/import.h"
#include "onnx/operators.h"

namespace dlaexec::build {
namespace {

/// Whether the DLA has such layers; which of them it takes, other rules say one
/// by one.
bool is_known_to_dla(ir::Op op) {
  return std::ranges::none_of(dla::rule_table(), [&](const dla::RuleRow& row) {
    return row.rule.id == "general.op" && row.rule.ops.contains(op);
  });
}

std::string_view dla_column(const onnx::Operator& row) {
  if (!is_known_to_dla(row.op) || row.holds_integers == onnx::HoldsIntegers::Always) return "no";
  return row.holds_integers == onnx::HoldsIntegers::Asymmetric ? "symmetric, by rules" : "by rules";
}

std::string row_of(const onnx::Operator& row) {
  return format("| {} | {} | {} to {} | {} | {} | {} | {} | {} |\n", row.name,
                row.domain.empty() ? "ai.onnx" : row.domain, row.first_opset, row.last_opset,
                row.types, ir::info(row.op).text, cpu::has_kernel(row.op) ? "kernel" : "ref",
                gpu::family_of(row.op).lower != nullptr ? "kernel" : "host", dla_column(row));
}

}  // namespace

std::string operators_markdown() {
  std::string page =
      "# ONNX operators\n\n"
      "Made from `operators.def` and the engines' tables; a test keeps it up "
      "to date (it prints "
      "the "
      "new page when something changed).\n\n"
      "- **types**: the element types of the first input. Reals: float32, "
      "float16, bfloat16 "
      "(computed in float32; float64 is read as float32). Integers: int8, "
      "uint8, int32, int64. "
      "Numbers: both. Any: numbers and bool. Sequences, maps, optional values, "
      "texts and sparse "
      "tensors are not supported.\n"
      "- **op**: what does the work in the graph; others may surround it "
      "(`--dumpGraph=import` "
      "shows them).\n"
      "- **host**: the host engine's `kernel`, or the definition (`ref`), "
      "which runs whatever has "
      "no kernel or whose shapes and types its kernel does not take.\n"
      "- **GPU**: a CUDA `kernel`, or the `host` engine, which also runs what no kernel takes: "
      "shapes that are known only at run time, values of 2 GB and more, and types or limits that "
      "`--verbose` names layer by layer. Results of NonMaxSuppression and NonZero have such "
      "shapes; pointwise layers, gathers, slices, concatenations and reshapes that go through them "
      "row by row stay on the GPU, in memory for the most rows there can be.\n"
      "- **DLA**: `by rules`, which decide layer by layer (`../dla/RULES.md`), "
      "or `no`: the DLA has "
      "no such layer, or the operator computes with integers that need float32. `symmetric, by "
      "rules`: so it does unless all of its integers are int8 without zero points.\n\n"
      "Operators of a file that are not listed here are all named in one "
      "message.\n\n"
      "| operator | domain | opsets | types | op | host | GPU | DLA |\n"
      "|---|---|---|---|---|---|---|---|\n";
  for (const onnx::Operator& row : onnx::operators()) page += row_of(row);
  page += format(
      "\n{} rows. Models of a newer opset than {} are read as of "
      "that one, with a warning.\n",
      onnx::operators().size(), onnx::kNewestOpset);
  return page;
}

}  // namespace dlaexec::build
