#include "gpu/cublaslt.h"

#include <charconv>
#include <mutex>

#include "base/error.h"

namespace dlaexec::gpu {
namespace {

// Values of the library's enumerations, as its documentation gives them.
constexpr int kFloat32 = 0, kFloat16 = 2;                        // cudaDataType_t
constexpr int kComputeTf32 = 77, kComputeFloat32 = 68;           // cublasComputeType_t
constexpr int kTransposed = 1;                                   // cublasOperation_t
constexpr int kTransposeA = 3, kEpilogue = 7, kBiasPointer = 8;  // cublasLtMatmulDescAttributes_t
constexpr int kBatchCount = 5, kBatchStep = 6;                   // cublasLtMatrixLayoutAttribute_t
constexpr int kLeastAlignment[] = {5, 6, 7, 8};                  // of A, B, C, D
constexpr int kMostWorkspace = 1;                        // cublasLtMatmulPreferenceAttributes_t
constexpr int kBias = 4, kReluBias = 6, kGeluBias = 36;  // cublasLtEpilogue_t

int library_type(ir::DataType type) { return type == ir::DataType::Float16 ? kFloat16 : kFloat32; }

/// The epilogue that adds a bias and applies @p kind; 0 when there is none.
int epilogue_of(ir::ActivationKind kind) {
  switch (kind) {
    case ir::ActivationKind::None:
      return kBias;
    case ir::ActivationKind::Relu:
      return kReluBias;
    case ir::ActivationKind::GeluTanh:  // the library's only GELU
      return kGeluBias;
    default:
      return 0;
  }
}

void check_library(Result status, const char* doing) {
  if (status != 0) fail("cuBLASLt reports status {} while {}", status, doing);
}

}  // namespace

/// The product for the library, which counts columns first: w is A (transposed), x is B, and each
/// row of y is a column.
struct LibraryLaunch::Description {
  const CublasLtFunctions& functions;
  Handle operation = nullptr, w = nullptr, x = nullptr, residual = nullptr, y = nullptr;

  Description(const CublasLtFunctions& table, const LibraryProduct& product) : functions(table) {
    const bool tf32 = product.in == ir::DataType::Float32 && !product.full;
    const int compute = tf32 ? kComputeTf32 : kComputeFloat32;
    check_library(functions.operation_create(&operation, compute, kFloat32),
                  "describing a product");
    set(kTransposeA, kTransposed);
    set(kEpilogue, epilogue_of(product.activation));
    w = layout(product.in, product.k, product.n, product.batch, product.w);
    x = layout(product.in, product.k, product.m, product.batch, product.x);
    y = layout(product.out, product.n, product.m, product.batch, product.y);
    residual = product.has_residual
                   ? layout(product.out, product.n, product.m, product.batch, product.residual)
                   : layout(product.out, product.n, product.m, product.batch, product.y);
  }
  ~Description() {
    for (const Handle matrix : {w, x, residual, y})
      if (matrix) functions.layout_destroy(matrix);
    if (operation) functions.operation_destroy(operation);
  }
  Description(const Description&) = delete;
  Description& operator=(const Description&) = delete;

  template <class Value>
  void set(int attribute, Value value) {
    check_library(functions.operation_set(operation, attribute, &value, sizeof value),
                  "describing a product");
  }

 private:
  Handle layout(ir::DataType type, int64_t rows, int64_t columns, int64_t batch,
                const LibraryProduct::Steps& steps) const {
    Handle made = nullptr;
    check_library(functions.layout_create(&made, library_type(type), static_cast<uint64_t>(rows),
                                          static_cast<uint64_t>(columns), steps.row),
                  "describing a matrix");
    const int32_t count = static_cast<int32_t>(batch);
    check_library(functions.layout_set(made, kBatchCount, &count, sizeof count),
                  "describing a batch");
    check_library(functions.layout_set(made, kBatchStep, &steps.matrix, sizeof steps.matrix),
                  "describing a batch");
    return made;
  }
};

std::optional<std::string> why_not_library(const LibraryProduct& product) {
  const auto is_real = [](ir::DataType type) {
    return type == ir::DataType::Float16 || type == ir::DataType::Float32;
  };
  if (!is_real(product.in) || !is_real(product.out)) return std::string("integers");
  if (product.in == ir::DataType::Float32 && product.out == ir::DataType::Float16)
    return std::string("f32 to f16");
  if (epilogue_of(product.activation) == 0)
    return format("{} behind a product", ir::text(product.activation));
  return std::nullopt;
}

std::string library_name(size_t version) {
  return format("cuBLASLt {}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

std::string to_text(const LibraryTactic& tactic) {
  std::string text = format("cublaslt {} w{} ", tactic.version, tactic.workspace_bytes);
  for (const uint64_t word : tactic.algorithm.words) text += format("{:016x}", word);
  return text;
}

std::optional<LibraryTactic> parse_library_tactic(const std::string& text) {
  LibraryTactic tactic;
  int read = 0;
  long long workspace = 0;
  if (std::sscanf(text.c_str(), "cublaslt %zu w%lld %n", &tactic.version, &workspace, &read) != 2)
    return std::nullopt;
  tactic.workspace_bytes = workspace;
  const char* at = text.c_str() + read;
  if (text.size() != static_cast<size_t>(read) + 128) return std::nullopt;
  for (uint64_t& word : tactic.algorithm.words) {
    std::from_chars(at, at + 16, word, 16);
    at += 16;
  }
  if (to_text(tactic) != text) return std::nullopt;
  return tactic;
}

CublasLt::CublasLt() : functions_(*find_cublaslt().table) {
  check_library(functions_.create(&handle_), "starting");
}

CublasLt::~CublasLt() {
  if (handle_) functions_.destroy(handle_);
}

std::shared_ptr<const CublasLt> CublasLt::open() {
  // A handle takes memory and time, and threads may share it: one is enough for all programs.
  static std::mutex lock;
  static std::weak_ptr<const CublasLt> known;
  const std::lock_guard guard(lock);
  if (auto open = known.lock()) return open;
  if (!find_cublaslt().table) fail("{}", find_cublaslt().reason);
  const std::shared_ptr<const CublasLt> made(new CublasLt);
  known = made;
  return made;
}

std::vector<LibraryTactic> CublasLt::tactics(const LibraryProduct& product, size_t most,
                                             int64_t workspace_bytes) const {
  const LibraryLaunch::Description description(functions_, product);
  Handle preference = nullptr;
  check_library(functions_.preference_create(&preference), "asking for algorithms");
  const auto workspace = static_cast<uint64_t>(workspace_bytes);
  functions_.preference_set(preference, kMostWorkspace, &workspace, sizeof workspace);
  constexpr uint32_t kAlignment = kLibraryAlignment;
  for (const int attribute : kLeastAlignment)
    functions_.preference_set(preference, attribute, &kAlignment, sizeof kAlignment);
  std::vector<HeuristicResult> results(most);
  int found = 0;
  const Result status = functions_.heuristic(
      handle_, description.operation, description.w, description.x, description.residual,
      description.y, preference, static_cast<int>(most), results.data(), &found);
  functions_.preference_destroy(preference);
  std::vector<LibraryTactic> tactics;
  if (status != 0) return tactics;  // no algorithm for such a product
  for (int i = 0; i < found; ++i) {
    const HeuristicResult& result = results[static_cast<size_t>(i)];
    if (result.status == 0)
      tactics.push_back(
          {functions_.version, result.algorithm, static_cast<int64_t>(result.workspace_bytes)});
  }
  return tactics;
}

LibraryLaunch::LibraryLaunch(std::shared_ptr<const CublasLt> library, const LibraryProduct& product,
                             const LibraryTactic& tactic, const ProductAddresses& addresses)
    : library_(std::move(library)),
      description_(std::make_unique<Description>(library_->functions(), product)),
      tactic_(tactic),
      addresses_(addresses) {
  description_->set(kBiasPointer, addresses_.bias);
}

LibraryLaunch::~LibraryLaunch() = default;

void LibraryLaunch::enqueue(const Stream& stream) const {
  const auto at = [](Address address) { return reinterpret_cast<void*>(address); };
  const float one = 1, residual = addresses_.residual ? 1 : 0;
  void* const added = at(addresses_.residual ? addresses_.residual : addresses_.y);
  check_library(
      library_->functions().multiply(
          library_->handle(), description_->operation, &one, at(addresses_.w), description_->w,
          at(addresses_.x), description_->x, &residual, added, description_->residual,
          at(addresses_.y), description_->y, &tactic_.algorithm, at(addresses_.workspace),
          static_cast<size_t>(tactic_.workspace_bytes), stream.handle()),
      "multiplying");
}

}  // namespace dlaexec::gpu
