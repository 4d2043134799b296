// What an op carries besides its inputs: one plain struct per kind of op. Each struct's fields()
// names its members once; printing, parsing, comparing and saving all walk it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "ir/enum_text.h"
#include "ir/type.h"

namespace dlaexec::ir {

struct Graph;

using Ints = std::vector<int64_t>;
using Floats = std::vector<float>;
using Strings = std::vector<std::string>;
/// The body of If, Loop and Scan; it may use values of the graph around it by name.
using Subgraph = std::shared_ptr<const Graph>;

enum class ActivationKind : uint8_t {
  None,
  Relu,
  Clip,       ///< min(max(x, alpha), beta)
  LeakyRelu,  ///< x < 0 ? alpha * x : x
  Sigmoid,
  Tanh,
  Elu,          ///< x < 0 ? alpha * (exp(x) - 1) : x
  Selu,         ///< beta * (x < 0 ? alpha * (exp(x) - 1) : x)
  Celu,         ///< max(0, x) + min(0, alpha * (exp(x / alpha) - 1))
  Softplus,     ///< log(1 + exp(x))
  Softsign,     ///< x / (1 + |x|)
  HardSigmoid,  ///< max(0, min(1, alpha * x + beta))
  HardSwish,    ///< x * max(0, min(1, x / 6 + 0.5))
  GeluErf,
  GeluTanh,
  Mish,             ///< x * tanh(softplus(x))
  Silu,             ///< x * sigmoid(alpha * x)
  ThresholdedRelu,  ///< x > alpha ? x : 0
  Shrink,           ///< x < -alpha ? x + beta : x > alpha ? x - beta : 0
};
enum class UnaryKind : uint8_t {
  Exp,
  Log,
  Sqrt,
  Reciprocal,
  Abs,
  Neg,
  Sin,
  Cos,
  Tan,
  Sinh,
  Cosh,
  Asin,
  Acos,
  Atan,
  Asinh,
  Acosh,
  Atanh,
  Ceil,
  Floor,
  Round,
  Sign,
  Erf,
  Not,
  BitwiseNot,
  IsNan,
  IsInf,
};
enum class ElementwiseKind : uint8_t {
  Sum,
  Sub,
  Prod,
  Div,
  Pow,
  Min,
  Max,
  Mod,
  Fmod,
  And,
  Or,
  Xor,
  Equal,
  Less,
  Greater,
  LessOrEqual,
  GreaterOrEqual,
  BitwiseAnd,
  BitwiseOr,
  BitwiseXor,
  ShiftLeft,
  ShiftRight,
};
enum class PoolKind : uint8_t { Max, Average, Lp };
enum class ReduceKind : uint8_t {
  Sum,
  Mean,
  Max,
  Min,
  Prod,
  L1,
  L2,
  LogSum,
  LogSumExp,
  SumSquare,
};
enum class SoftmaxKind : uint8_t { Softmax, LogSoftmax, Hardmax };
enum class PadMode : uint8_t { Constant, Edge, Reflect, Wrap };
enum class ResizeMode : uint8_t { Nearest, Linear, Cubic };
enum class CoordinateMode : uint8_t {
  HalfPixel,
  HalfPixelSymmetric,
  PytorchHalfPixel,
  AlignCorners,
  Asymmetric,
  TfCropAndResize,
};
enum class NearestMode : uint8_t { RoundPreferFloor, RoundPreferCeil, Floor, Ceil };
enum class KeepAspect : uint8_t { Stretch, NotLarger, NotSmaller };
enum class Reduction : uint8_t { None, Add, Mul, Max, Min };
enum class RecurrentDirection : uint8_t { Forward, Reverse, Bidirectional };
enum class RoiPoolKind : uint8_t { Average, Max };
enum class RoiCoordinates : uint8_t { HalfPixel, OutputHalfPixel };
enum class SampleMode : uint8_t { Linear, Nearest, Cubic };
enum class SamplePadding : uint8_t { Zeros, Border, Reflection };
enum class DepthOrder : uint8_t { Dcr, Crd };

}  // namespace dlaexec::ir

DLAEXEC_ENUM_TEXT(dlaexec::ir::ActivationKind, "none", "relu", "clip", "leaky_relu", "sigmoid",
                  "tanh", "elu", "selu", "celu", "softplus", "softsign", "hard_sigmoid",
                  "hard_swish", "gelu_erf", "gelu_tanh", "mish", "silu", "thresholded_relu",
                  "shrink");
DLAEXEC_ENUM_TEXT(dlaexec::ir::UnaryKind, "exp", "log", "sqrt", "recip", "abs", "neg", "sin", "cos",
                  "tan", "sinh", "cosh", "asin", "acos", "atan", "asinh", "acosh", "atanh", "ceil",
                  "floor", "round", "sign", "erf", "not", "bitwise_not", "is_nan", "is_inf");
DLAEXEC_ENUM_TEXT(dlaexec::ir::ElementwiseKind, "sum", "sub", "prod", "div", "pow", "min", "max",
                  "mod", "fmod", "and", "or", "xor", "equal", "less", "greater", "less_or_equal",
                  "greater_or_equal", "bitwise_and", "bitwise_or", "bitwise_xor", "shift_left",
                  "shift_right");
DLAEXEC_ENUM_TEXT(dlaexec::ir::PoolKind, "max", "average", "lp");
DLAEXEC_ENUM_TEXT(dlaexec::ir::ReduceKind, "sum", "avg", "max", "min", "prod", "l1", "l2",
                  "log_sum", "log_sum_exp", "sum_square");
DLAEXEC_ENUM_TEXT(dlaexec::ir::SoftmaxKind, "softmax", "log_softmax", "hardmax");
DLAEXEC_ENUM_TEXT(dlaexec::ir::PadMode, "constant", "edge", "reflect", "wrap");
DLAEXEC_ENUM_TEXT(dlaexec::ir::ResizeMode, "nearest", "linear", "cubic");
DLAEXEC_ENUM_TEXT(dlaexec::ir::CoordinateMode, "half_pixel", "half_pixel_symmetric",
                  "pytorch_half_pixel", "align_corners", "asymmetric", "tf_crop_and_resize");
DLAEXEC_ENUM_TEXT(dlaexec::ir::NearestMode, "round_prefer_floor", "round_prefer_ceil", "floor",
                  "ceil");
DLAEXEC_ENUM_TEXT(dlaexec::ir::KeepAspect, "stretch", "not_larger", "not_smaller");
DLAEXEC_ENUM_TEXT(dlaexec::ir::Reduction, "none", "add", "mul", "max", "min");
DLAEXEC_ENUM_TEXT(dlaexec::ir::RecurrentDirection, "forward", "reverse", "bidirectional");
DLAEXEC_ENUM_TEXT(dlaexec::ir::RoiPoolKind, "average", "max");
DLAEXEC_ENUM_TEXT(dlaexec::ir::RoiCoordinates, "half_pixel", "output_half_pixel");
DLAEXEC_ENUM_TEXT(dlaexec::ir::SampleMode, "linear", "nearest", "cubic");
DLAEXEC_ENUM_TEXT(dlaexec::ir::SamplePadding, "zeros", "border", "reflection");
DLAEXEC_ENUM_TEXT(dlaexec::ir::DepthOrder, "dcr", "crd");

namespace dlaexec::ir {

/// Writes fields() for the members listed: visit("name", member) for each, in this order.
#define DLAEXEC_FIELD_1(m) visit(#m, self.m);
#define DLAEXEC_FIELD_2(m, ...) DLAEXEC_FIELD_1(m) DLAEXEC_FIELD_1(__VA_ARGS__)
#define DLAEXEC_FIELD_3(m, ...) DLAEXEC_FIELD_1(m) DLAEXEC_FIELD_2(__VA_ARGS__)
#define DLAEXEC_FIELD_4(m, ...) DLAEXEC_FIELD_1(m) DLAEXEC_FIELD_3(__VA_ARGS__)
#define DLAEXEC_FIELD_5(m, ...) DLAEXEC_FIELD_1(m) DLAEXEC_FIELD_4(__VA_ARGS__)
#define DLAEXEC_FIELD_6(m, ...) DLAEXEC_FIELD_1(m) DLAEXEC_FIELD_5(__VA_ARGS__)
#define DLAEXEC_FIELD_7(m, ...) DLAEXEC_FIELD_1(m) DLAEXEC_FIELD_6(__VA_ARGS__)
#define DLAEXEC_FIELD_8(m, ...) DLAEXEC_FIELD_1(m) DLAEXEC_FIELD_7(__VA_ARGS__)
#define DLAEXEC_FIELD_9(m, ...) DLAEXEC_FIELD_1(m) DLAEXEC_FIELD_8(__VA_ARGS__)
#define DLAEXEC_FIELD_10(m, ...) DLAEXEC_FIELD_1(m) DLAEXEC_FIELD_9(__VA_ARGS__)
#define DLAEXEC_FIELD_PICK(a, b, c, d, e, f, g, h, i, j, name, ...) name
#define DLAEXEC_FIELDS(...)                                                                \
  template <class Self, class Visit>                                                       \
  static void fields(Self& self, Visit&& visit) {                                          \
    DLAEXEC_FIELD_PICK(__VA_ARGS__, DLAEXEC_FIELD_10, DLAEXEC_FIELD_9, DLAEXEC_FIELD_8,    \
                       DLAEXEC_FIELD_7, DLAEXEC_FIELD_6, DLAEXEC_FIELD_5, DLAEXEC_FIELD_4, \
                       DLAEXEC_FIELD_3, DLAEXEC_FIELD_2, DLAEXEC_FIELD_1, )                \
    (__VA_ARGS__)                                                                          \
  }

struct NoAttributes {
  template <class Self, class Visit>
  static void fields(Self&, Visit&&) {}
  friend bool operator==(const NoAttributes&, const NoAttributes&) = default;
};

// What fusion adds to convolutions and matrix products. In this order: the product, the bias (and
// scale), the residual input if there is one, the activation. Each is computed in float or exact
// integers; the result is rounded once, to the output's type.
//   residual    the last input is added before the activation
//   activation, alpha, beta   as in ActivationAttributes
#define DLAEXEC_EPILOGUE                            \
  bool residual = false;                            \
  ActivationKind activation = ActivationKind::None; \
  float alpha = 0;                                  \
  float beta = 0

/// conv: inputs x[N,C,spatial...], weights[K,C/groups,kernel...], optional bias[K], residual.
/// Spatial lists have one entry per spatial dimension; pads are all begins, then all ends.
struct ConvAttributes {
  Ints stride, pads, dilation;
  int64_t groups = 1;
  DLAEXEC_EPILOGUE;
  DLAEXEC_FIELDS(stride, pads, dilation, groups, residual, activation, alpha, beta)
  friend bool operator==(const ConvAttributes&, const ConvAttributes&) = default;
};
/// deconv: inputs x, weights[C,K/groups,kernel...], optional bias, residual.
struct DeconvAttributes {
  Ints stride, pads, dilation, output_padding;
  int64_t groups = 1;
  DLAEXEC_EPILOGUE;
  DLAEXEC_FIELDS(stride, pads, dilation, output_padding, groups, residual, activation, alpha, beta)
  friend bool operator==(const DeconvAttributes&, const DeconvAttributes&) = default;
};
/// gemm: a[M,K] (or [K,M]), b[K,N] (or [N,K]), optional c that broadcasts to [M,N], residual.
/// y = scale_ab * a * b + scale_c * c
struct GemmAttributes {
  bool transpose_a = false, transpose_b = false;
  float scale_ab = 1, scale_c = 1;
  DLAEXEC_EPILOGUE;
  DLAEXEC_FIELDS(transpose_a, transpose_b, scale_ab, scale_c, residual, activation, alpha, beta)
  friend bool operator==(const GemmAttributes&, const GemmAttributes&) = default;
};
/// matmul: numpy's rule for ranks and broadcast of batch dimensions; optional bias[N], residual.
struct MatMulAttributes {
  DLAEXEC_EPILOGUE;
  DLAEXEC_FIELDS(residual, activation, alpha, beta)
  friend bool operator==(const MatMulAttributes&, const MatMulAttributes&) = default;
};
#undef DLAEXEC_EPILOGUE

struct ActivationAttributes {
  ActivationKind kind = ActivationKind::Relu;
  float alpha = 0, beta = 0;
  DLAEXEC_FIELDS(kind, alpha, beta)
  friend bool operator==(const ActivationAttributes&, const ActivationAttributes&) = default;
};
struct UnaryAttributes {
  UnaryKind kind = UnaryKind::Abs;
  bool detect_negative = true, detect_positive = true;  ///< is_inf only
  DLAEXEC_FIELDS(kind, detect_negative, detect_positive)
  friend bool operator==(const UnaryAttributes&, const UnaryAttributes&) = default;
};
/// elementwise: two inputs that broadcast as numpy does; the activation is what fusion added.
struct ElementwiseAttributes {
  ElementwiseKind kind = ElementwiseKind::Sum;
  ActivationKind activation = ActivationKind::None;
  float alpha = 0, beta = 0;
  DLAEXEC_FIELDS(kind, activation, alpha, beta)
  friend bool operator==(const ElementwiseAttributes&, const ElementwiseAttributes&) = default;
};
/// Spatial lists as in ConvAttributes; a global pool is a reduce.
struct PoolAttributes {
  PoolKind kind = PoolKind::Max;
  Ints kernel, stride, pads, dilation;
  bool ceil_mode = false;
  bool count_include_pad = false;  ///< average: padded cells count in the divisor
  int64_t p = 2;                   ///< lp only
  DLAEXEC_FIELDS(kind, kernel, stride, pads, dilation, ceil_mode, count_include_pad, p)
  friend bool operator==(const PoolAttributes&, const PoolAttributes&) = default;
};
/// axes are non-negative and ascending.
struct ReduceAttributes {
  ReduceKind kind = ReduceKind::Mean;
  Ints axes;
  bool keep_dims = true;
  DLAEXEC_FIELDS(kind, axes, keep_dims)
  friend bool operator==(const ReduceAttributes&, const ReduceAttributes&) = default;
};
struct ArgReduceAttributes {
  bool max = true;
  int64_t axis = 0;
  bool keep_dims = true, last = false;
  DLAEXEC_FIELDS(max, axis, keep_dims, last)
  friend bool operator==(const ArgReduceAttributes&, const ArgReduceAttributes&) = default;
};
struct BatchNormAttributes {
  float epsilon = 1e-5f;
  DLAEXEC_FIELDS(epsilon)
  friend bool operator==(const BatchNormAttributes&, const BatchNormAttributes&) = default;
};
struct LrnAttributes {
  int64_t size = 5;
  float alpha = 1e-4f, beta = 0.75f, bias = 1;
  DLAEXEC_FIELDS(size, alpha, beta, bias)
  friend bool operator==(const LrnAttributes&, const LrnAttributes&) = default;
};
/// One axis, non-negative: concat, gather, split, flatten and friends.
struct AxisAttributes {
  int64_t axis = 0;
  DLAEXEC_FIELDS(axis)
  friend bool operator==(const AxisAttributes&, const AxisAttributes&) = default;
};
struct SoftmaxAttributes {
  SoftmaxKind kind = SoftmaxKind::Softmax;
  int64_t axis = 0;
  bool flatten = false;  ///< opset < 13: all dimensions from axis on are one
  DLAEXEC_FIELDS(kind, axis, flatten)
  friend bool operator==(const SoftmaxAttributes&, const SoftmaxAttributes&) = default;
};
/// squeeze (empty: all of size 1), unsqueeze (positions in the output). Non-negative, ascending.
struct AxesAttributes {
  Ints axes;
  DLAEXEC_FIELDS(axes)
  friend bool operator==(const AxesAttributes&, const AxesAttributes&) = default;
};
/// reshape: inputs x, shape (i64; -1 is inferred, 0 copies unless allow_zero).
struct ReshapeAttributes {
  bool allow_zero = false;
  DLAEXEC_FIELDS(allow_zero)
  friend bool operator==(const ReshapeAttributes&, const ReshapeAttributes&) = default;
};
struct TransposeAttributes {
  Ints perm;
  DLAEXEC_FIELDS(perm)
  friend bool operator==(const TransposeAttributes&, const TransposeAttributes&) = default;
};
/// pad: inputs x, pads (i64, begins then ends), optional value, optional axes.
struct PadAttributes {
  PadMode mode = PadMode::Constant;
  DLAEXEC_FIELDS(mode)
  friend bool operator==(const PadAttributes&, const PadAttributes&) = default;
};
/// resize: inputs x, roi, scales, sizes as in ONNX; absent ones are no value.
struct ResizeAttributes {
  ResizeMode mode = ResizeMode::Nearest;
  CoordinateMode coordinates = CoordinateMode::HalfPixel;
  NearestMode nearest = NearestMode::RoundPreferFloor;
  KeepAspect keep_aspect = KeepAspect::Stretch;
  float cubic_a = -0.75f;
  bool exclude_outside = false, antialias = false;
  float extrapolation = 0;
  Ints axes;  ///< empty: all
  DLAEXEC_FIELDS(mode, coordinates, nearest, keep_aspect, cubic_a, exclude_outside, antialias,
                 extrapolation, axes)
  friend bool operator==(const ResizeAttributes&, const ResizeAttributes&) = default;
};
struct CastAttributes {
  DataType to = DataType::Float32;
  DLAEXEC_FIELDS(to)
  friend bool operator==(const CastAttributes&, const CastAttributes&) = default;
};
/// shape: the dimensions [start, end) as i64; end past the rank means all.
struct ShapeAttributes {
  int64_t start = 0, end = INT64_MAX;
  DLAEXEC_FIELDS(start, end)
  friend bool operator==(const ShapeAttributes&, const ShapeAttributes&) = default;
};
struct ConstantOfShapeAttributes {
  DataType type = DataType::Float32;
  double value = 0;
  DLAEXEC_FIELDS(type, value)
  friend bool operator==(const ConstantOfShapeAttributes&,
                         const ConstantOfShapeAttributes&) = default;
};
struct GatherNdAttributes {
  int64_t batch_dims = 0;
  DLAEXEC_FIELDS(batch_dims)
  friend bool operator==(const GatherNdAttributes&, const GatherNdAttributes&) = default;
};
/// scatter_elements (axis) and scatter_nd.
struct ScatterAttributes {
  int64_t axis = 0;
  Reduction reduction = Reduction::None;
  DLAEXEC_FIELDS(axis, reduction)
  friend bool operator==(const ScatterAttributes&, const ScatterAttributes&) = default;
};
struct DepthAttributes {
  int64_t block = 1;
  DepthOrder order = DepthOrder::Dcr;
  DLAEXEC_FIELDS(block, order)
  friend bool operator==(const DepthAttributes&, const DepthAttributes&) = default;
};
struct TriluAttributes {
  bool upper = true;
  DLAEXEC_FIELDS(upper)
  friend bool operator==(const TriluAttributes&, const TriluAttributes&) = default;
};
struct CumSumAttributes {
  bool exclusive = false, reverse = false;
  DLAEXEC_FIELDS(exclusive, reverse)
  friend bool operator==(const CumSumAttributes&, const CumSumAttributes&) = default;
};
struct TopKAttributes {
  int64_t axis = -1;
  bool largest = true, sorted = true;
  DLAEXEC_FIELDS(axis, largest, sorted)
  friend bool operator==(const TopKAttributes&, const TopKAttributes&) = default;
};
struct UniqueAttributes {
  int64_t axis = 0;
  bool sorted = true;  ///< else in the order in which the slices first appear
  DLAEXEC_FIELDS(axis, sorted)
  friend bool operator==(const UniqueAttributes&, const UniqueAttributes&) = default;
};
struct NmsAttributes {
  bool center_point_box = false;
  DLAEXEC_FIELDS(center_point_box)
  friend bool operator==(const NmsAttributes&, const NmsAttributes&) = default;
};
struct RoiAlignAttributes {
  RoiPoolKind kind = RoiPoolKind::Average;
  RoiCoordinates coordinates = RoiCoordinates::HalfPixel;
  int64_t output_height = 1, output_width = 1, sampling_ratio = 0;
  float spatial_scale = 1;
  DLAEXEC_FIELDS(kind, coordinates, output_height, output_width, sampling_ratio, spatial_scale)
  friend bool operator==(const RoiAlignAttributes&, const RoiAlignAttributes&) = default;
};
struct GridSampleAttributes {
  SampleMode mode = SampleMode::Linear;
  SamplePadding padding = SamplePadding::Zeros;
  bool align_corners = false;
  DLAEXEC_FIELDS(mode, padding, align_corners)
  friend bool operator==(const GridSampleAttributes&, const GridSampleAttributes&) = default;
};
struct EinsumAttributes {
  std::string equation;
  DLAEXEC_FIELDS(equation)
  friend bool operator==(const EinsumAttributes&, const EinsumAttributes&) = default;
};
/// instance_norm, layer_norm, rms_norm (from axis on), group_norm (groups), lp_norm (axis, p).
struct NormAttributes {
  int64_t axis = -1, groups = 1, p = 2;
  float epsilon = 1e-5f;
  DLAEXEC_FIELDS(axis, groups, p, epsilon)
  friend bool operator==(const NormAttributes&, const NormAttributes&) = default;
};
struct RecurrentAttributes {
  RecurrentDirection direction = RecurrentDirection::Forward;
  int64_t hidden_size = 0;
  Strings activations;
  Floats activation_alpha, activation_beta;
  float clip = 0;  ///< 0: none
  bool batch_first = false, input_forget = false, linear_before_reset = false;
  DLAEXEC_FIELDS(direction, hidden_size, activations, activation_alpha, activation_beta, clip,
                 batch_first, input_forget, linear_before_reset)
  friend bool operator==(const RecurrentAttributes&, const RecurrentAttributes&) = default;
};
/// quantize, dequantize: inputs x, scale, optional zero point; per axis or in blocks along it.
struct QuantizeAttributes {
  int64_t axis = 1, block = 0;
  DataType to = DataType::Int8;
  DLAEXEC_FIELDS(axis, block, to)
  friend bool operator==(const QuantizeAttributes&, const QuantizeAttributes&) = default;
};
struct IfAttributes {
  Subgraph then_branch, else_branch;
  DLAEXEC_FIELDS(then_branch, else_branch)
  friend bool operator==(const IfAttributes&, const IfAttributes&) = default;
};
struct LoopAttributes {
  Subgraph body;
  int64_t scan_inputs = 0;  ///< scan only
  Ints scan_input_axes, scan_output_axes, scan_input_reverse, scan_output_reverse;
  DLAEXEC_FIELDS(body, scan_inputs, scan_input_axes, scan_output_axes, scan_input_reverse,
                 scan_output_reverse)
  friend bool operator==(const LoopAttributes&, const LoopAttributes&) = default;
};
/// foreign_node: a whole DLA segment, run by one loadable of the plan.
struct ForeignNodeAttributes {
  int64_t loadable = 0;
  DLAEXEC_FIELDS(loadable)
  friend bool operator==(const ForeignNodeAttributes&, const ForeignNodeAttributes&) = default;
};

using Attributes =
    std::variant<NoAttributes, ConvAttributes, DeconvAttributes, GemmAttributes, MatMulAttributes,
                 ActivationAttributes, UnaryAttributes, ElementwiseAttributes, PoolAttributes,
                 ReduceAttributes, ArgReduceAttributes, BatchNormAttributes, LrnAttributes,
                 AxisAttributes, SoftmaxAttributes, AxesAttributes, ReshapeAttributes,
                 TransposeAttributes, PadAttributes, ResizeAttributes, CastAttributes,
                 ShapeAttributes, ConstantOfShapeAttributes, GatherNdAttributes, ScatterAttributes,
                 DepthAttributes, TriluAttributes, CumSumAttributes, TopKAttributes,
                 UniqueAttributes, NmsAttributes, RoiAlignAttributes, GridSampleAttributes,
                 EinsumAttributes, NormAttributes, RecurrentAttributes, QuantizeAttributes,
                 IfAttributes, LoopAttributes, ForeignNodeAttributes>;

}  // namespace dlaexec::ir
