#include "gpu/driver.h"

#include <dlfcn.h>

#include <cstdlib>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "gpu/cublaslt.h"
#include "gpu/cudnn.h"

namespace dlaexec::gpu {
namespace {

/// Opens the first of @p names that the loader finds; null and the last reason otherwise.
void* open_first(const std::vector<std::string>& names, std::string& opened, std::string& reason) {
  for (const std::string& name : names) {
    if (void* library = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL)) {
      opened = name;
      return library;
    }
    if (reason.empty()) reason = dlerror();
  }
  return nullptr;
}

template <class Function>
bool find_symbol(void* library, const char* symbol, Function& function, std::string& missing) {
  function = reinterpret_cast<Function>(dlsym(library, symbol));
  if (!function && missing.empty()) missing = symbol;
  return function != nullptr;
}

std::string describe(const Driver& table, Result result) {
  const char *name = nullptr, *text = nullptr;
  table.error_name(result, &name);
  table.error_string(result, &text);
  return format("{} ({})", text ? text : "unknown error", name ? name : format("{}", result));
}

/// Fills @p table; the reason why it cannot be used, or nothing.
std::string load(Driver& table) {
  std::string opened, reason, missing;
  void* library = open_first({"libcuda.so.1", "libcuda.so"}, opened, reason);
  if (!library) return "no CUDA driver: " + reason;
#define DLAEXEC_CUDA(symbol, name, arguments) find_symbol(library, #symbol, table.name, missing);
#include "gpu/driver.def"
  if (!missing.empty())
    return format("the CUDA driver {} lacks {}; install one of CUDA 11.4 or later", opened,
                  missing);
  std::string optional;
  find_symbol(library, "cuLaunchKernelEx", table.launch_with_attributes, optional);
  find_symbol(library, "cuTensorMapEncodeIm2col", table.encode_im2col, optional);
  find_symbol(library, "cuTensorMapEncodeTiled", table.encode_tiled, optional);
  if (const Result result = table.init(0))
    return "the CUDA driver does not start: " + describe(table, result);
  int count = 0;
  if (const Result result = table.device_count(&count))
    return "the CUDA driver lists no devices: " + describe(table, result);
  if (count == 0) return "the CUDA driver is there, but no CUDA device";
  return {};
}

/// The names under which a library of the CUDA Toolkit is looked for: @p names, which the loader
/// knows, then files in the toolkit's folders.
std::vector<std::string> toolkit_names(std::vector<std::string> names) {
  std::vector<std::string> roots;
  for (const char* variable : {"CUDA_HOME", "CUDA_PATH"})
    if (const char* root = std::getenv(variable)) roots.emplace_back(root);
  roots.emplace_back("/usr/local/cuda");
  const std::string file = names.back();
  for (const std::string& root : roots)
    for (const char* folder : {"/lib64", "/lib", "/targets/aarch64-linux/lib"})
      names.push_back(format("{}{}/{}", root, folder, file));
  return names;
}

/// Opens a library under one of @p names; null when it is not there, and @p reason begins with
/// @p missing and ends with @p advice.
void* open_optional(std::string_view missing, std::string_view advice,
                    std::vector<std::string> names, std::string& opened, std::string& reason) {
  void* library = open_first(toolkit_names(std::move(names)), opened, reason);
  if (!library) reason = format("{}: {}; {}", missing, reason, advice);
  return library;
}

std::string load(Nvrtc& table) {
  std::string reason, missing;
  void* library = open_optional(
      "no NVRTC", "install the CUDA Toolkit's libnvrtc, or set CUDA_HOME to the toolkit's folder",
      {"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2", "libnvrtc.so"}, table.path, reason);
  if (!library) return reason;
#define DLAEXEC_NVRTC(symbol, name, arguments) find_symbol(library, #symbol, table.name, missing);
#include "gpu/nvrtc.def"
  if (!missing.empty())
    return format("{} lacks {}; install NVRTC of CUDA 11.4 or later", table.path, missing);
  if (table.version(&table.major, &table.minor)) return table.path + " gives no version";
  return {};
}

std::string load(CublasLtFunctions& table) {
  std::string reason, missing;
  void* library = open_optional(
      "there is no cuBLASLt",
      "install the CUDA Toolkit's libcublasLt, or set CUDA_HOME to the toolkit's folder",
      {"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so.11", "libcublasLt.so"}, table.path,
      reason);
  if (!library) return reason;
#define DLAEXEC_CUBLASLT(symbol, name, arguments) \
  find_symbol(library, #symbol, table.name, missing);
#include "gpu/cublaslt.def"
  find_symbol(library, "cublasLtGetVersion", table.version_number, missing);
  if (!missing.empty())
    return format("{} lacks {}; install cuBLASLt of CUDA 11.4 or later", table.path, missing);
  table.version = table.version_number();
  return {};
}

std::string load(CudnnFunctions& table) {
  std::string reason, missing;
  void* library =
      open_optional("there is no cuDNN 9", "install it, or name its folder in LD_LIBRARY_PATH",
                    {"libcudnn.so.9"}, table.path, reason);
  if (!library) return reason;
#define DLAEXEC_CUDNN(symbol, name, arguments) find_symbol(library, #symbol, table.name, missing);
#include "gpu/cudnn.def"
  find_symbol(library, "cudnnGetErrorString", table.error_string, missing);
  find_symbol(library, "cudnnGetVersion", table.version_number, missing);
  if (!missing.empty()) return format("{} lacks {}; install cuDNN 9", table.path, missing);
  table.version = table.version_number();
  return {};
}

/// Loads @p Table once for the process, since the library behind it is one for the process too.
template <class Table>
const Loaded<Table>& load_once() {
  static Table table;
  static const Loaded<Table> loaded = [] {
    Loaded<Table> result;
    result.reason = load(table);
    if (result.reason.empty()) result.table = &table;
    return result;
  }();
  return loaded;
}

/// What a person can do about @p result, as the end of a sentence.
const char* advice(Result result) {
  switch (result) {
    case 2:  // CUDA_ERROR_OUT_OF_MEMORY
      return "; free device memory, or use a smaller batch or fewer streams";
    case 209:  // CUDA_ERROR_NO_BINARY_FOR_GPU
      return "; the plan holds no code for this device: build it again here";
    case 218:  // CUDA_ERROR_INVALID_PTX
    case 222:  // CUDA_ERROR_UNSUPPORTED_PTX_VERSION
      return "; the driver is older than the code: update the driver or build the plan again";
    case 46:  // CUDA_ERROR_DEVICE_UNAVAILABLE
      return "; another process may hold the device exclusively";
    default:
      return "";
  }
}

}  // namespace

const Loaded<Driver>& find_driver() { return load_once<Driver>(); }

const Loaded<Nvrtc>& find_nvrtc() { return load_once<Nvrtc>(); }

const Loaded<CublasLtFunctions>& find_cublaslt() { return load_once<CublasLtFunctions>(); }

const Loaded<CudnnFunctions>& find_cudnn() { return load_once<CudnnFunctions>(); }

const Driver& driver() {
  const Loaded<Driver>& loaded = find_driver();
  if (!loaded.table) fail("{}", loaded.reason);
  return *loaded.table;
}

void check(Result result, const char* doing) {
  if (result == 0) return;
  fail("CUDA reports '{}' while {}{}", describe(driver(), result), doing, advice(result));
}

void check_quietly(Result result, const char* doing) noexcept {
  if (result == 0) return;
  try {
    log::error("CUDA reports '{}' while {}", describe(driver(), result), doing);
  } catch (...) {  // a destructor must not throw, and there is nobody left to tell
  }
}

}  // namespace dlaexec::gpu
