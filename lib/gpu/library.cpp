#include "gpu/library.h"

#include <array>
#include <cstdio>
#include <mutex>

#include "base/error.h"
#include "gpu/cublaslt.h"
#include "gpu/cudnn.h"

namespace dlaexec::gpu {
namespace {

constexpr LibraryInfo kInfo[] = {
    {LibraryKind::CublasLt, "cuBLASLt", "cublaslt", "CUBLAS_LT", "products"},
    {LibraryKind::Cudnn, "cuDNN", "cudnn", "CUDNN", "convolutions"},
};

/// How one is opened; rows as in kInfo.
struct Opener {
  const std::string& (*why_not)();
  std::shared_ptr<const Library> (*open)();
};
constexpr Opener kOpeners[] = {
    {[]() -> const std::string& { return find_cublaslt().reason; }, open_cublaslt},
    {[]() -> const std::string& { return find_cudnn().reason; }, open_cudnn},
};
static_assert(std::size(kOpeners) == std::size(kInfo));

const Opener& opener(LibraryKind kind) { return kOpeners[static_cast<size_t>(kind)]; }

}  // namespace

const LibraryInfo& info(LibraryKind kind) { return kInfo[static_cast<size_t>(kind)]; }

std::string library_name(LibraryKind kind, size_t version) {
  return format("{} {}.{}.{}", info(kind).name, version / 10000, version / 100 % 100,
                version % 100);
}

std::string to_text(const LibraryTactic& tactic) {
  return format("{} {} w{} {}", info(tactic.library).tag, tactic.version, tactic.workspace_bytes,
                tactic.algorithm);
}

std::optional<LibraryTactic> parse_library_tactic(const std::string& text) {
  for (const LibraryInfo& library : kInfo) {
    if (!text.starts_with(library.tag)) continue;
    LibraryTactic tactic{library.kind, 0, 0, {}};
    int read = 0;
    long long workspace = 0;
    if (std::sscanf(text.c_str() + library.tag.size(), " %zu w%lld %n", &tactic.version, &workspace,
                    &read) != 2)
      continue;
    tactic.workspace_bytes = workspace;
    tactic.algorithm = text.substr(library.tag.size() + static_cast<size_t>(read));
    if (!tactic.algorithm.empty() && to_text(tactic) == text) return tactic;
  }
  return std::nullopt;
}

const std::string& why_no_library(LibraryKind kind) { return opener(kind).why_not(); }

std::shared_ptr<const Library> open_library(LibraryKind kind) {
  // A handle takes memory and time, and threads may share it: one is enough for all programs.
  static std::mutex lock;
  static std::array<std::weak_ptr<const Library>, std::size(kInfo)> known;
  const std::lock_guard guard(lock);
  std::weak_ptr<const Library>& mine = known[static_cast<size_t>(kind)];
  if (auto open = mine.lock()) return open;
  if (const std::string& reason = why_no_library(kind); !reason.empty()) fail("{}", reason);
  const std::shared_ptr<const Library> made = opener(kind).open();
  mine = made;
  return made;
}

std::shared_ptr<const Library> library_for(const LibraryTactic& tactic) {
  const LibraryInfo& library = info(tactic.library);
  const std::string needs = format("the plan takes {} from {}", library.gives,
                                   library_name(tactic.library, tactic.version));
  const std::string advice =
      format("build the plan again here, or with --tacticSources=-{}", library.flag);
  if (const std::string& reason = why_no_library(tactic.library); !reason.empty())
    fail(Fault::PlanMismatch, "{}, but {}; {}", needs, reason, advice);
  std::shared_ptr<const Library> open = open_library(tactic.library);
  if (open->version() != tactic.version)
    fail(Fault::PlanMismatch, "{}, but here is {} ({}); {}", needs, open->name(), open->path(),
         advice);
  return open;
}

}  // namespace dlaexec::gpu
