#include "tactic_sources.h"

#include <algorithm>

#include "base/log.h"

namespace dlaexec::cli {
namespace {

constexpr std::string_view kNames[] = {
    "CUBLAS", "CUBLASLT", "CUBLAS_LT", "CUDNN", "EDGE_MASK_CONVOLUTIONS", "JIT_CONVOLUTIONS"};

bool is_on(const std::vector<SignedName>& sources, std::string_view name) {
  return std::any_of(sources.begin(), sources.end(),
                     [&](const SignedName& source) { return source.on && source.name == name; });
}

}  // namespace

std::vector<SignedName> tactic_sources(const Settings& settings) {
  return parse_signed(settings.text(Flag::tacticSources), "--tacticSources", kNames);
}

bool takes_cublaslt(const Settings& settings) {
  const std::vector<SignedName> sources = tactic_sources(settings);
  return is_on(sources, "CUBLASLT") || is_on(sources, "CUBLAS_LT");
}

void warn_of_tactic_sources(const Settings& settings) {
  const std::vector<SignedName> sources = tactic_sources(settings);
  for (const std::string_view name : {"CUBLAS", "CUDNN"})
    if (is_on(sources, name))
      log::warning(
          "--tacticSources=+{} has no effect: of libraries this program asks cuBLASLt alone "
          "(+CUBLAS_LT)",
          name);
}

}  // namespace dlaexec::cli
