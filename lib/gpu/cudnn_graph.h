// cuDNN's graph API as objects: descriptors that are filled and finished, and a convolution with
// all that is fused to it as a graph of them.
#pragma once

#include <memory>
#include <vector>

#include "gpu/cudnn.h"

namespace dlaexec::gpu {

/// An attribute of a descriptor with the type of its values, each by the number that
/// cudnn_graph_v9.h gives it.
struct CudnnAttribute {
  int name, type;
};

namespace cudnn {

// cudnnBackendDescriptorType_t.
inline constexpr int kPointwise = 0, kConvolution = 1, kEngine = 2, kConfig = 3, kHeuristics = 4,
                     kPlan = 5, kKnobChoice = 7, kConvolutionForward = 10, kPointwiseOperation = 13,
                     kGraph = 15, kPack = 16, kTensor = 17;

// cudnnBackendAttributeType_t.
inline constexpr int kHandle = 0, kDataType = 1, kBoolean = 2, kInt64 = 3, kFloat = 4, kAddress = 6,
                     kConvolutionMode = 7, kHeuristicsMode = 8, kKnob = 9, kNumericalNote = 11,
                     kPointwiseMode = 14, kDescriptor = 15, kBehaviorNote = 19;

// cudnnBackendAttributeName_t.
inline constexpr CudnnAttribute kPointwiseKind{0, kPointwiseMode},
    kPointwisePrecision{1, kDataType}, kConvolutionPrecision{100, kDataType},
    kConvolutionKind{101, kConvolutionMode}, kDilations{102, kInt64}, kStrides{103, kInt64},
    kPostPaddings{104, kInt64}, kPrePaddings{105, kInt64}, kSpatialDims{106, kInt64},
    kHeuristicsKind{200, kHeuristicsMode}, kHeuristicsGraph{201, kDescriptor},
    kHeuristicsResults{202, kDescriptor}, kConfigEngine{300, kDescriptor},
    kConfigKnobs{302, kDescriptor}, kPlanHandle{400, kHandle}, kPlanConfig{401, kDescriptor},
    kPlanWorkspace{402, kInt64}, kChoiceKnob{600, kKnob}, kChoiceValue{601, kInt64},
    kForwardAlpha{700, kFloat}, kForwardBeta{701, kFloat}, kForwardConvolution{702, kDescriptor},
    kForwardW{703, kDescriptor}, kForwardX{704, kDescriptor}, kForwardY{705, kDescriptor},
    kPointwiseOf{750, kDescriptor}, kPointwiseX{751, kDescriptor}, kPointwiseB{752, kDescriptor},
    kPointwiseY{753, kDescriptor}, kGraphHandle{800, kHandle}, kGraphOperations{801, kDescriptor},
    kTensorAlignment{900, kInt64}, kTensorType{901, kDataType}, kTensorDims{902, kInt64},
    kTensorStrides{903, kInt64}, kTensorId{906, kInt64}, kTensorIsVirtual{907, kBoolean},
    kPackIds{1000, kInt64}, kPackAddresses{1001, kAddress}, kPackWorkspace{1003, kAddress},
    kEngineGraph{1300, kDescriptor}, kEngineIndex{1301, kInt64},
    kEngineNumericalNotes{1303, kNumericalNote}, kEngineBehaviorNotes{1305, kBehaviorNote};

}  // namespace cudnn

/// Turns a failed call of cuDNN into an Error; @p doing completes "while ...".
void check_cudnn(const CudnnFunctions& functions, Result result, const char* doing);

/// One descriptor.
class CudnnDescriptor {
 public:
  CudnnDescriptor(const CudnnFunctions& functions, int kind);
  ~CudnnDescriptor() { functions_.descriptor_destroy(handle_); }
  CudnnDescriptor(const CudnnDescriptor&) = delete;
  CudnnDescriptor& operator=(const CudnnDescriptor&) = delete;

  Handle handle() const { return handle_; }

  /// Value must be laid out as the attribute's type says: int for enumerations.
  template <class Value>
  void set(const CudnnAttribute& attribute, const Value& value) {
    set(attribute, 1, &value);
  }
  template <class Value>
  void set(const CudnnAttribute& attribute, const std::vector<Value>& values) {
    set(attribute, static_cast<int64_t>(values.size()), values.data());
  }
  void set(const CudnnAttribute& attribute, const CudnnDescriptor& value) {
    set(attribute, value.handle_);
  }
  /// Nothing is set after this; not 0 where the library refuses what was described.
  [[nodiscard]] Result finish() { return functions_.finalize(handle_); }

  /// The first @p most values of an attribute.
  template <class Value>
  std::vector<Value> get(const CudnnAttribute& attribute, size_t most) const {
    std::vector<Value> values(most);
    values.resize(get(attribute, most, values.data()));
    return values;
  }
  /// The same for descriptors, which are of @p kind.
  std::vector<std::unique_ptr<CudnnDescriptor>> get_descriptors(const CudnnAttribute& attribute,
                                                                int kind, size_t most) const;

 private:
  void set(const CudnnAttribute& attribute, int64_t count, const void* values);
  size_t get(const CudnnAttribute& attribute, size_t most, void* values) const;

  const CudnnFunctions& functions_;
  Handle handle_ = nullptr;
};

/// Images or filters, [n][h][w][c] in memory.
struct CudnnImages {
  int64_t n, c, h, w;
};

/// The numbers under which a convolution's graph knows its operands.
enum class CudnnOperand : int64_t { X = 1, W, Bias, Residual, Y };

/// A convolution, the additions of residual and bias, and the activation, as one graph.
class CudnnGraph {
 public:
  /// Throws an Error where the library refuses it.
  CudnnGraph(const CudnnFunctions& functions, Handle library,
             const LibraryConvolution& convolution);

  const CudnnDescriptor& descriptor() const { return *graph_; }

 private:
  CudnnDescriptor& made(int kind);
  CudnnDescriptor& tensor(int64_t id, ir::DataType type, const CudnnImages& images);
  CudnnDescriptor& operand(CudnnOperand operand, ir::DataType type, const CudnnImages& images);
  /// What passes from operation to operation, as floats; @p step tells one from the others.
  CudnnDescriptor& passing(int64_t step, const CudnnImages& images);
  CudnnDescriptor& convolve(const LibraryConvolution& c, const CudnnDescriptor& y);
  /// @p x and @p b added, or @p x alone activated without @p b.
  CudnnDescriptor& pointwise(const CudnnDescriptor& x, const CudnnDescriptor* b,
                             const CudnnDescriptor& y);
  void finish(CudnnDescriptor& descriptor) const;

  const CudnnFunctions& functions_;
  std::vector<std::unique_ptr<CudnnDescriptor>> parts_;
  CudnnDescriptor* graph_ = nullptr;
};

}  // namespace dlaexec::gpu
