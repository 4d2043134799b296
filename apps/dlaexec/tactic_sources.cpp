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

std::vector<gpu::LibraryKind> libraries_of(const Settings& settings) {
  const std::vector<SignedName> sources = tactic_sources(settings);
  std::vector<gpu::LibraryKind> libraries;
  if (is_on(sources, "CUBLASLT") || is_on(sources, "CUBLAS_LT"))
    libraries.push_back(gpu::LibraryKind::CublasLt);
  if (is_on(sources, "CUDNN")) libraries.push_back(gpu::LibraryKind::Cudnn);
  return libraries;
}

void warn_of_tactic_sources(const Settings& settings) {
  if (is_on(tactic_sources(settings), "CUBLAS"))
    log::warning(
        "--tacticSources=+CUBLAS has no effect: of libraries this program asks cuBLASLt "
        "(+CUBLAS_LT) and cuDNN (+CUDNN)");
}

}  // namespace dlaexec::cli
