#include "gpu/cudnn_graph.h"

#include <algorithm>

#include "base/error.h"

namespace dlaexec::gpu {
namespace {

using namespace cudnn;

// Values of the library's enumerations.
constexpr int kFloat32 = 0, kFloat16 = 2;  // cudnnDataType_t
constexpr int kCrossCorrelation = 1;       // cudnnConvolutionMode_t
constexpr int kAdd = 0, kRelu = 100;       // cudnnPointwiseMode_t

constexpr const char* kDescribing = "describing a convolution";

int library_type(ir::DataType type) { return type == ir::DataType::Float16 ? kFloat16 : kFloat32; }

/// One axis of a convolution's window.
struct Axis {
  int64_t in, out, taps, stride, pad, dilation;
};

/// The padding behind an axis: as much as before it wherever that gives the same outputs, which
/// more kernels know.
int64_t pad_behind(const Axis& a) {
  const int64_t window = a.dilation * (a.taps - 1) + 1;
  if ((a.in + 2 * a.pad - window) / a.stride + 1 == a.out) return a.pad;
  return std::max<int64_t>(0, (a.out - 1) * a.stride + window - a.in - a.pad);
}

}  // namespace

void check_cudnn(const CudnnFunctions& functions, Result result, const char* doing) {
  if (result != 0) fail("cuDNN reports {} while {}", functions.error_string(result), doing);
}

CudnnDescriptor::CudnnDescriptor(const CudnnFunctions& functions, int kind)
    : functions_(functions) {
  check_cudnn(functions_, functions_.descriptor_create(kind, &handle_), kDescribing);
}

void CudnnDescriptor::set(const CudnnAttribute& attribute, int64_t count, const void* values) {
  check_cudnn(functions_, functions_.set(handle_, attribute.name, attribute.type, count, values),
              kDescribing);
}

size_t CudnnDescriptor::get(const CudnnAttribute& attribute, size_t most, void* values) const {
  int64_t count = 0;
  check_cudnn(functions_,
              functions_.get(handle_, attribute.name, attribute.type, static_cast<int64_t>(most),
                             &count, values),
              "asking for algorithms");
  return std::min(most, static_cast<size_t>(count));
}

std::vector<std::unique_ptr<CudnnDescriptor>> CudnnDescriptor::get_descriptors(
    const CudnnAttribute& attribute, int kind, size_t most) const {
  // The library fills descriptors that are there already.
  std::vector<std::unique_ptr<CudnnDescriptor>> made;
  std::vector<Handle> handles;
  for (size_t i = 0; i < most; ++i) {
    made.push_back(std::make_unique<CudnnDescriptor>(functions_, kind));
    handles.push_back(made.back()->handle());
  }
  made.resize(get(attribute, most, handles.data()));
  return made;
}

CudnnDescriptor& CudnnGraph::made(int kind) {
  parts_.push_back(std::make_unique<CudnnDescriptor>(functions_, kind));
  return *parts_.back();
}

void CudnnGraph::finish(CudnnDescriptor& descriptor) const {
  check_cudnn(functions_, descriptor.finish(), kDescribing);
}

CudnnDescriptor& CudnnGraph::tensor(int64_t id, ir::DataType type, const CudnnImages& images) {
  CudnnDescriptor& t = made(kTensor);
  t.set(kTensorId, id);
  t.set(kTensorType, library_type(type));
  t.set(kTensorAlignment, kLibraryAlignment);
  t.set(kTensorDims, std::vector{images.n, images.c, images.h, images.w});
  t.set(kTensorStrides,
        std::vector{images.h * images.w * images.c, int64_t{1}, images.w * images.c, images.c});
  return t;
}

CudnnDescriptor& CudnnGraph::operand(CudnnOperand operand, ir::DataType type,
                                     const CudnnImages& images) {
  CudnnDescriptor& t = tensor(static_cast<int64_t>(operand), type, images);
  finish(t);
  return t;
}

CudnnDescriptor& CudnnGraph::passing(int64_t step, const CudnnImages& images) {
  constexpr int64_t kFirst = 100;  // beyond the operands
  CudnnDescriptor& t = tensor(kFirst + step, ir::DataType::Float32, images);
  t.set(kTensorIsVirtual, true);
  finish(t);
  return t;
}

CudnnDescriptor& CudnnGraph::convolve(const LibraryConvolution& c, const CudnnDescriptor& y) {
  CudnnDescriptor& window = made(kConvolution);
  window.set(kConvolutionPrecision, kFloat32);
  window.set(kConvolutionKind, kCrossCorrelation);
  window.set(kSpatialDims, int64_t{2});
  window.set(kPrePaddings, std::vector{c.pad_h, c.pad_w});
  window.set(kPostPaddings,
             std::vector{pad_behind({c.h, c.out_h, c.taps_h, c.stride_h, c.pad_h, c.dilation_h}),
                         pad_behind({c.w, c.out_w, c.taps_w, c.stride_w, c.pad_w, c.dilation_w})});
  window.set(kStrides, std::vector{c.stride_h, c.stride_w});
  window.set(kDilations, std::vector{c.dilation_h, c.dilation_w});
  finish(window);
  CudnnDescriptor& operation = made(kConvolutionForward);
  operation.set(kForwardConvolution, window);
  operation.set(kForwardX, operand(CudnnOperand::X, c.type, {c.images, c.c, c.h, c.w}));
  operation.set(kForwardW,
                operand(CudnnOperand::W, c.type, {c.k, c.c / c.groups, c.taps_h, c.taps_w}));
  operation.set(kForwardY, y);
  operation.set(kForwardAlpha, 1.f);
  operation.set(kForwardBeta, 0.f);
  finish(operation);
  return operation;
}

CudnnDescriptor& CudnnGraph::pointwise(const CudnnDescriptor& x, const CudnnDescriptor* b,
                                       const CudnnDescriptor& y) {
  CudnnDescriptor& function = made(kPointwise);
  function.set(kPointwiseKind, b ? kAdd : kRelu);
  function.set(kPointwisePrecision, kFloat32);
  finish(function);
  CudnnDescriptor& operation = made(kPointwiseOperation);
  operation.set(kPointwiseOf, function);
  operation.set(kPointwiseX, x);
  if (b) operation.set(kPointwiseB, *b);
  operation.set(kPointwiseY, y);
  finish(operation);
  return operation;
}

CudnnGraph::CudnnGraph(const CudnnFunctions& functions, Handle library, const LibraryConvolution& c)
    : functions_(functions) {
  const CudnnImages out{c.images, c.k, c.out_h, c.out_w};
  const CudnnDescriptor& y = operand(CudnnOperand::Y, c.type, out);
  const CudnnDescriptor* last = &passing(0, out);
  std::vector<Handle> operations{convolve(c, *last).handle()};
  const auto add = [&](const CudnnDescriptor* b, const CudnnDescriptor& to) {
    operations.push_back(pointwise(*last, b, to).handle());
    last = &to;
  };
  if (c.has_residual) add(&operand(CudnnOperand::Residual, c.type, out), passing(1, out));
  const bool activates = c.activation == ir::ActivationKind::Relu;
  add(&operand(CudnnOperand::Bias, c.type, {1, c.k, 1, 1}), activates ? passing(2, out) : y);
  if (activates) add(nullptr, y);
  graph_ = &made(kGraph);
  graph_->set(kGraphHandle, library);
  graph_->set(kGraphOperations, operations);
  finish(*graph_);
}

}  // namespace dlaexec::gpu
