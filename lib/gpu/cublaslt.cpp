#include "gpu/cublaslt.h"

#include <charconv>

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

/// The product for the library, which counts columns first: w is A (transposed), x is B, and each
/// row of y is a column.
struct Description {
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

/// An algorithm as 128 hexadecimal digits, and back.
std::string to_text(const Algorithm& algorithm) {
  std::string text;
  for (const uint64_t word : algorithm.words) text += format("{:016x}", word);
  return text;
}

Algorithm parse_algorithm(const std::string& text) {
  constexpr size_t kDigits = 16;
  Algorithm algorithm;
  if (text.size() != algorithm.words.size() * kDigits)
    fail("'{}' is no algorithm of cuBLASLt", text);
  const char* at = text.c_str();
  for (uint64_t& word : algorithm.words) {
    std::from_chars(at, at + kDigits, word, 16);
    at += kDigits;
  }
  return algorithm;
}

class ProductLaunch : public LibraryLaunch {
 public:
  ProductLaunch(const CublasLtFunctions& functions, Handle library, const LibraryProduct& product,
                const LibraryTactic& tactic, const LibraryAddresses& addresses)
      : library_(library),
        description_(functions, product),
        algorithm_(parse_algorithm(tactic.algorithm)),
        workspace_bytes_(static_cast<size_t>(tactic.workspace_bytes)),
        addresses_(addresses) {
    description_.set(kBiasPointer, addresses.bias);
  }

  void enqueue(const Stream& stream) const override {
    const auto at = [](Address address) { return reinterpret_cast<void*>(address); };
    const float one = 1, residual = addresses_.residual ? 1 : 0;
    void* const added = at(addresses_.residual ? addresses_.residual : addresses_.y);
    check_library(description_.functions.multiply(
                      library_, description_.operation, &one, at(addresses_.w), description_.w,
                      at(addresses_.x), description_.x, &residual, added, description_.residual,
                      at(addresses_.y), description_.y, &algorithm_, at(addresses_.workspace),
                      workspace_bytes_, stream.handle()),
                  "multiplying");
  }

 private:
  Handle library_;
  Description description_;
  Algorithm algorithm_;
  size_t workspace_bytes_;
  LibraryAddresses addresses_;
};

class CublasLt : public Library {
 public:
  CublasLt();
  ~CublasLt() override;
  std::vector<LibraryTactic> tactics(const LibraryProblem& problem, size_t most,
                                     int64_t workspace_bytes) const override;
  std::unique_ptr<LibraryLaunch> launch(const LibraryProblem& problem, const LibraryTactic& tactic,
                                        const LibraryAddresses& addresses) const override;

 private:
  const CublasLtFunctions& functions_;
  Handle handle_ = nullptr;
};

CublasLt::CublasLt()
    : Library(LibraryKind::CublasLt, find_cublaslt().table->version, find_cublaslt().table->path),
      functions_(*find_cublaslt().table) {
  check_library(functions_.create(&handle_), "starting");
}

CublasLt::~CublasLt() {
  if (handle_) functions_.destroy(handle_);
}

std::vector<LibraryTactic> CublasLt::tactics(const LibraryProblem& problem, size_t most,
                                             int64_t workspace_bytes) const {
  const LibraryProduct* const product = std::get_if<LibraryProduct>(&problem);
  if (!product) return {};
  const Description description(functions_, *product);
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
      tactics.push_back({kind(), version(), static_cast<int64_t>(result.workspace_bytes),
                         to_text(result.algorithm)});
  }
  return tactics;
}

std::unique_ptr<LibraryLaunch> CublasLt::launch(const LibraryProblem& problem,
                                                const LibraryTactic& tactic,
                                                const LibraryAddresses& addresses) const {
  return std::make_unique<ProductLaunch>(functions_, handle_, std::get<LibraryProduct>(problem),
                                         tactic, addresses);
}

}  // namespace

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

std::shared_ptr<const Library> open_cublaslt() { return std::make_shared<const CublasLt>(); }

}  // namespace dlaexec::gpu
