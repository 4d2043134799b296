#include "gpu/jit.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/progress.h"
#include "gpu/driver.h"
#include "gpu/kernel_files.h"

namespace dlaexec::gpu {
namespace {

constexpr std::string_view kCacheHead = "dlaexec kernel 1\n";

/// The device code that is compiled: what the binary carries, but files of the folder
/// $DLAEXEC_KERNEL_SOURCES in place of those of the same name, so that whoever works on a kernel
/// need not build the program again.
const std::vector<EmbeddedFile>& sources() {
  static const std::vector<EmbeddedFile> files = [] {
    std::vector<EmbeddedFile> all = kKernelFiles;
    const char* folder = std::getenv("DLAEXEC_KERNEL_SOURCES");
    if (folder == nullptr) return all;
    int taken = 0;
    for (EmbeddedFile& file : all) {
      const auto path = std::filesystem::path(folder) / file.name;
      if (!std::filesystem::exists(path)) continue;
      file.text = read_file(path.string());
      ++taken;
    }
    log::warning(
        "{} of {} kernel sources are those of DLAEXEC_KERNEL_SOURCES='{}', not dlaexec's own",
        taken, all.size(), folder);
    return all;
  }();
  return files;
}

const EmbeddedFile& embedded(std::string_view name) {
  const std::vector<EmbeddedFile>& files = sources();
  const auto found = std::find_if(files.begin(), files.end(),
                                  [&](const EmbeddedFile& file) { return file.name == name; });
  DLAEXEC_CHECK(found != files.end());
  return *found;
}

const std::string& source_of(const Kernel& kernel) {
  return kernel.source.empty() ? embedded(kernel.file).text : kernel.source;
}

/// The files that @p text includes in quotes, directly or not, in order of first mention.
void collect_includes(const std::string& text, std::vector<std::string>& found) {
  constexpr std::string_view kInclude = "#include \"";
  for (size_t at = text.find(kInclude); at != std::string::npos; at = text.find(kInclude, at + 1)) {
    const size_t first = at + kInclude.size();
    const std::string included = text.substr(first, text.find('"', first) - first);
    if (std::find(found.begin(), found.end(), included) != found.end()) continue;
    found.push_back(included);
    collect_includes(embedded(included).text, found);
  }
}

/// Destroys the program that it holds.
struct Program {
  const Nvrtc& nvrtc;
  Handle handle = nullptr;
  ~Program() {
    if (handle) nvrtc.destroy(&handle);
  }
};

/// The number that stands before @p unit in the assembler's report, summed over its mentions.
int sum_before(std::string_view log, std::string_view unit) {
  int sum = 0;
  for (size_t at = log.find(unit); at != std::string_view::npos; at = log.find(unit, at + 1)) {
    size_t first = at;
    while (first > 0 && (std::isdigit(log[first - 1]) != 0 || log[first - 1] == ' ')) --first;
    while (log[first] == ' ') ++first;
    int number = 0;
    std::from_chars(log.data() + first, log.data() + at, number);
    sum += number;
  }
  return sum;
}

std::string log_of(const Nvrtc& nvrtc, Handle program) {
  size_t bytes = 0;
  if (nvrtc.log_size(program, &bytes) || bytes <= 1) return {};
  std::string log(bytes, '\0');
  nvrtc.log(program, log.data());
  log.resize(bytes - 1);
  return log;
}

Cubin compile_now(const Kernel& kernel, const std::vector<std::string>& options) {
  const Nvrtc& nvrtc = *find_nvrtc().table;
  std::vector<std::string> names;
  collect_includes(source_of(kernel), names);
  std::vector<const char*> header_names, headers, arguments;
  for (const std::string& name : names) {
    header_names.push_back(name.c_str());
    headers.push_back(embedded(name).text.c_str());
  }
  for (const std::string& option : options) arguments.push_back(option.c_str());
  Program program{nvrtc};
  DLAEXEC_CHECK(nvrtc.create(&program.handle, source_of(kernel).c_str(), kernel.file.c_str(),
                             static_cast<int>(headers.size()), headers.data(),
                             header_names.data()) == 0);
  DLAEXEC_CHECK(nvrtc.add_name_expression(program.handle, kernel.expression.c_str()) == 0);
  const Result result =
      nvrtc.compile(program.handle, static_cast<int>(arguments.size()), arguments.data());
  const std::string log = log_of(nvrtc, program.handle);
  if (result)
    fail("kernel {} of {} does not compile with {}:\n{}", kernel.expression, kernel.file,
         join(options, " "), log);
  Cubin cubin;
  cubin.kernel = kernel;
  const char* lowered = nullptr;
  DLAEXEC_CHECK(nvrtc.lowered_name(program.handle, kernel.expression.c_str(), &lowered) == 0);
  cubin.function = lowered;
  size_t bytes = 0;
  DLAEXEC_CHECK(nvrtc.cubin_size(program.handle, &bytes) == 0);
  cubin.code.resize(bytes);
  DLAEXEC_CHECK(nvrtc.cubin(program.handle, cubin.code.data()) == 0);
  cubin.registers = sum_before(log, " registers");
  cubin.spill_bytes =
      sum_before(log, " bytes spill stores") + sum_before(log, " bytes spill loads");
  return cubin;
}

/// A readable head, then the code.
std::string to_file(const Cubin& cubin) {
  return format("{}file {}\nexpression {}\nfunction {}\nregisters {}\nspill_bytes {}\nbytes {}\n\n",
                kCacheHead, cubin.kernel.file, cubin.kernel.expression, cubin.function,
                cubin.registers, cubin.spill_bytes, cubin.code.size()) +
         cubin.code;
}

/// What to_file() wrote for @p kernel; nothing when the text is something else.
std::optional<Cubin> from_file(const std::string& text, const Kernel& kernel) {
  if (text.rfind(kCacheHead, 0) != 0) return std::nullopt;
  const size_t end = text.find("\n\n");
  if (end == std::string::npos) return std::nullopt;
  const auto field = [&](std::string_view name) {
    const std::string wanted = "\n" + std::string(name) + " ";
    const size_t at = text.find(wanted);
    if (at == std::string::npos || at > end) return std::string();
    const size_t first = at + wanted.size();
    return text.substr(first, text.find('\n', first) - first);
  };
  const auto number = [&](std::string_view name) { return std::atoll(field(name).c_str()); };
  Cubin cubin;
  cubin.kernel = {field("file"), field("expression")};
  cubin.function = field("function");
  cubin.registers = static_cast<int>(number("registers"));
  cubin.spill_bytes = static_cast<int>(number("spill_bytes"));
  cubin.code = text.substr(end + 2);
  if (cubin.kernel != kernel || cubin.code.empty() ||
      static_cast<long long>(cubin.code.size()) != number("bytes"))
    return std::nullopt;
  return cubin;
}

bool knows(const Nvrtc& nvrtc, const std::string& architecture) {
  int count = 0;
  if (nvrtc.architecture_count(&count)) return false;
  std::vector<int> known(static_cast<size_t>(count));
  if (nvrtc.architectures(known.data())) return false;
  const int wanted = std::atoi(architecture.c_str() + 3);  // past "sm_"; a trailing letter ends it
  return std::find(known.begin(), known.end(), wanted) != known.end();
}

}  // namespace

Compiler::Compiler(std::string architecture, std::string cache_folder)
    : architecture_(std::move(architecture)), cache_folder_(std::move(cache_folder)) {
  const Loaded<Nvrtc>& loaded = find_nvrtc();
  if (!loaded.table) fail("kernels cannot be compiled: {}", loaded.reason);
  if (!knows(*loaded.table, architecture_))
    fail("NVRTC {}.{} ({}) does not compile for {}; use a CUDA Toolkit that does",
         loaded.table->major, loaded.table->minor, loaded.table->path, architecture_);
  options_ = {"--gpu-architecture=" + architecture_, "--std=c++17", "--ptxas-options=-v",
              "--device-as-default-execution-space"};
  if (cache_folder_.empty()) return;
  std::error_code failed;
  std::filesystem::create_directories(cache_folder_, failed);
  if (failed) {
    log::warning("kernels are not kept: {} cannot be made ({})", cache_folder_, failed.message());
    cache_folder_.clear();
  }
}

std::string Compiler::key(const Kernel& kernel) const {
  const Nvrtc& nvrtc = *find_nvrtc().table;
  std::string text = format("nvrtc {}.{}\n{}\n{}\n{}\n", nvrtc.major, nvrtc.minor,
                            join(options_, " "), kernel.expression, source_of(kernel));
  std::vector<std::string> names;
  collect_includes(source_of(kernel), names);
  for (const std::string& name : names) text += name + "\n" + embedded(name).text;
  return hash128_hex(text);
}

Cubin Compiler::compile(const Kernel& kernel) const {
  if (cache_folder_.empty()) return compile_now(kernel, options_);
  const std::string path = cache_folder_ + "/" + key(kernel) + ".kernel";
  if (std::filesystem::exists(path))
    if (std::optional<Cubin> kept = from_file(read_file(path), kernel)) return std::move(*kept);
  Cubin cubin = compile_now(kernel, options_);
  write_file(path, to_file(cubin));
  return cubin;
}

std::vector<Cubin> Compiler::compile(std::span<const Kernel> kernels, ThreadPool& pool) const {
  // Each once: two threads must not make the same file.
  std::vector<Kernel> different(kernels.begin(), kernels.end());
  std::sort(different.begin(), different.end());
  different.erase(std::unique(different.begin(), different.end()), different.end());
  std::vector<Cubin> made(different.size());
  const progress::Scope compiling("compiling kernels", std::ssize(different));
  pool.parallel_for(static_cast<int64_t>(different.size()), [&](int64_t i) {
    made[static_cast<size_t>(i)] = compile(different[static_cast<size_t>(i)]);
    progress::advance();
  });
  std::vector<Cubin> cubins;
  for (const Kernel& kernel : kernels) {
    const auto at = std::lower_bound(different.begin(), different.end(), kernel);
    cubins.push_back(made[static_cast<size_t>(at - different.begin())]);
  }
  return cubins;
}

std::string default_kernel_cache() {
  if (const char* chosen = std::getenv("DLAEXEC_KERNEL_CACHE")) return chosen;
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache && *cache)
    return std::string(cache) + "/dlaexec/kernels";
  if (const char* home = std::getenv("HOME"); home && *home)
    return std::string(home) + "/.cache/dlaexec/kernels";
  return {};
}

}  // namespace dlaexec::gpu
