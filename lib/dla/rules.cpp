// Sources of the rows: "Working with DLA" and "DLA Supported Layers and Restrictions" of NVIDIA's
// TensorRT guides (the editions named), TensorRT's public headers, and the operator tables of
// NVIDIA's Deep-Learning-Accelerator-SW.
#include "dla/rules.h"

#include <algorithm>

#include "dla/layer_facts.h"

namespace dlaexec::dla {
namespace {

using ir::Effect;
using ir::Holds;
using ir::In;
using ir::Never;
using ir::OneOf;
using ir::Op;
using ir::OpSet;

constexpr ir::Fact kLoadables{"loadables of a core", nullptr};  // placement counts them

constexpr std::string_view kOneBatch = "network.one-batch";  // placement keeps batches apart

constexpr OpSet kConv{Op::Conv};
constexpr OpSet kProduct{Op::Gemm, Op::MatMul};
constexpr OpSet kDeconv{Op::Deconv};
constexpr OpSet kPool{Op::Pool};
constexpr OpSet kActivation{Op::Activation};
constexpr OpSet kEltwise{Op::Elementwise};
constexpr OpSet kScale{Op::Scale, Op::BatchNorm};
constexpr OpSet kConcat{Op::Concat};
constexpr OpSet kResize{Op::Resize};
constexpr OpSet kUnary{Op::Unary};
constexpr OpSet kSlice{Op::Slice, Op::Split};
constexpr OpSet kSoftmax{Op::Softmax};
constexpr OpSet kShuffle{Op::Reshape, Op::Flatten, Op::Squeeze, Op::Unsqueeze, Op::Transpose};
constexpr OpSet kReduce{Op::Reduce};
constexpr OpSet kCast{Op::Cast};
constexpr OpSet kQuantize{Op::Quantize, Op::Dequantize};
constexpr OpSet kKnown{Op::Conv,       Op::Gemm,      Op::MatMul,      Op::Deconv,  Op::Pool,
                       Op::Activation, Op::PRelu,     Op::Elementwise, Op::Scale,   Op::BatchNorm,
                       Op::Lrn,        Op::Concat,    Op::Resize,      Op::Unary,   Op::Slice,
                       Op::Split,      Op::Softmax,   Op::Reshape,     Op::Flatten, Op::Squeeze,
                       Op::Unsqueeze,  Op::Transpose, Op::Reduce,      Op::Cast};
constexpr OpSet kForeign = OpSet::all().without(kKnown).without(kQuantize);
constexpr OpSet kNetwork{};
constexpr OpSet kFourDimensional = kKnown.without(kShuffle).without(kSlice);
constexpr OpSet kNotConv = kKnown.without(kConv);

constexpr std::string_view kEltwiseLog = "DLA cores do not support {value} ElementWise operation.";
constexpr std::string_view kReduceLog = "DLA cores do not support {value} Reduce operation.";
constexpr std::string_view kUnaryLog = "DLA cores do not support {value} Unary operation.";

// clang-format off
constexpr RuleRow kRows[] = {
  // -- any layer --
  {{"general.op", kForeign, nullptr, Holds{foreign_type, "a layer type that the DLA has"},
    "The DLA has no layer of this type.", "DLA-SW operator table", "DLA cores do not support {value} layers."}},
  {{"general.quantization", kQuantize, nullptr, Holds{foreign_type, "dynamic ranges instead of Q/DQ layers"},
    "The DLA takes INT8 from dynamic ranges; explicit quantization must be translated into them.", "8.5 guide, Working with DLA"}},
  {{"general.precision", kKnown, nullptr, Holds{wide_precision, "precision FP16 or INT8"},
    "DLA only supports FP16 and Int8 precision type.", "8.4 guide, Working with DLA",
    "DLA only supports FP16 and Int8 precision type. Switching {layer} device type to GPU."}},
  {{"general.type", kKnown, nullptr, Holds{integer_tensors, "tensors of FP32, FP16 or INT8"},
    "The DLA has no integer or boolean arithmetic.", "DLA-SW operator table"}},
  {{"general.static-shape", kKnown, nullptr, Holds{symbolic_shape, "dimensions that are known when the engine is built (min = opt = max)"},
    "The DLA takes no dynamic shapes; fix them with --shapes.", "8.4 guide, Working with DLA", "DLA Layer {layer} does not support dynamic shapes"}},
  {{"general.rank", kFourDimensional, &kRank, In{4, 4},
    "The DLA works on NCHW tensors; others get a shuffle that cannot run there.", "8.4 guide, Working with DLA"}},
  {{"general.batch", kKnown, &kBatch, In{1, 4096},
    "The DLA takes a batch of at most 4096, the product of all dimensions but C, H and W.", "8.4 guide, Working with DLA"}},
  {{"general.dimensions", kKnown, &kChw, In{1, 8192},
    "The DLA takes at most 8192 channels, rows and columns.", "10.x guide, DLA layer restrictions"}},
  {{"general.hwc4", kNotConv, nullptr, Holds{hwc4_input, "an HWC4 tensor to go into a convolution"},
    "Only convolutions read the DLA's HWC4 format.", "8.5 guide, I/O formats on DLA"}},

  // -- convolution --
  {{"conv.spatial", kConv, &kSpatialDims, In{2, 2},
    "The DLA convolves in two dimensions.", "8.4 guide, Convolution"}},
  {{"conv.kernel", kConv, &kKernel, In{1, 32},
    "The DLA convolves with kernels of at most 32 by 32.", "8.4 guide, Convolution"}},
  {{"conv.padding", kConv, &kPadding, In{0, 31},
    "The DLA pads a convolution by at most 31.", "8.4 guide, Convolution"}},
  {{"conv.padding-kernel", kConv, nullptr, Holds{padding_past_kernel, "padding less than the kernel"},
    "The DLA pads a convolution by less than its kernel.", "8.4 guide, Convolution"}},
  {{"conv.stride", kConv, &kStride, In{1, 8},
    "The DLA moves a convolution at most 8 pixels a step.", "8.4 guide, Convolution"}},
  {{"conv.dilation", kConv, &kDilation, In{1, 32},
    "The DLA dilates a convolution at most 32 times.", "8.4 guide, Convolution"}},
  {{"conv.output-maps", kConv, &kOutputMaps, In{1, 8192},
    "The DLA makes at most 8192 output maps.", "8.4 guide, Convolution"}},
  {{"conv.input-channels", kConv, &kInputMaps, In{1, 8192},
    "The DLA reads at most 8192 input channels.", "10.x guide, Convolution"}, {kNone, k10}},
  {{"conv.groups", kConv, &kGroups, In{1, 8192},
    "The DLA takes at most 8192 groups.", "8.4 guide, Convolution"}},
  {{"conv.groups-hwc4", kConv, &kHwc4Groups, In{1, 4},
    "With an HWC4 input the DLA takes at most 4 groups.", "8.5 guide, Convolution"}},
  {{"conv.hwc4-channels", kConv, &kHwc4Channels, OneOf{{1, 3, 4}, 3},
    "The DLA's HWC4 format holds 1, 3 or 4 channels.", "8.5 guide, I/O formats on DLA"}},
  {{"conv.hwc4-type", kConv, nullptr, Holds{hwc4_of_other_type, "an HWC4 input of the type that the convolution computes in"},
    "The DLA does not convert an HWC4 input.", "DLA-SW FAQ"}},
  {{"conv.weights", kConv, nullptr, Holds{variable_weights, "constant weights and bias"},
    "The DLA's weights are part of its loadable.", "DLA-SW operator table"}},
  {{"conv.cbuf", kConv, nullptr, Holds{cbuf_overflow, "at most 16 banks of the convolution buffer"},
    "One kernel and the input rows under it must fit the convolution buffer.", "8.4 guide, Convolution"}},
  {{"conv.cbuf-group", kConv, nullptr, Holds{cbuf_group_overflow, "a kernel group and its input rows within 16 banks"},
    "The kernels will be split, which is slower, and boards were seen to refuse such a layer.", "NVDLA compiler, TensorRT issue 3499",
    "", Effect::Warns}},
  {{"conv.sparsity", kConv, nullptr, Holds{sparse_weights, "dense weights"},
    "Sparse weights make nothing faster on Xavier's DLA.", "DLA-SW operator table",
    "", Effect::Warns}, {kAll, kNone}},
  {{"conv.sparsity", kConv, nullptr, Holds{sparse_in_vain,
     "for 2:4 sparse weights INT8, over 64 channels, a power of two of kernels beyond whole 64s, at most 262144 weights and no HWC4 input"},
    "Orin's DLA doubles its rate for sparse weights only then.", "DLA-SW operator table",
    "", Effect::Warns}, {kNone, kAll}},

  // -- fully connected: products with a constant right side --
  {{"fc.weights", kProduct, nullptr, Holds{variable_factor, "a constant matrix as the right side"},
    "The DLA multiplies by constant matrices alone, as 1x1 convolutions.", "DLA-SW operator table"}},
  {{"fc.rank", kProduct, nullptr, Holds{product_not_rank_two, "a left side of 2 dimensions"},
    "MatrixMultiply is not supported on the DLA; a fully connected layer or a convolution is.", "DLA-SW operator table"}},
  {{"fc.transpose", kProduct, nullptr, Holds{transposed_left, "a left side that is not transposed"},
    "The DLA's fully connected layer reads one row per image.", "8.4 guide, Convolution"}},
  {{"fc.bias", kProduct, nullptr, Holds{bias_not_per_output, "a constant bias, one value per output"},
    "The DLA adds one constant per output map.", "8.4 guide, Convolution"}},
  {{"fc.input-channels", kProduct, &kInputMaps, In{1, 8192},
    "The DLA reads at most 8192 inputs.", "10.x guide, Convolution"}},
  {{"fc.output-maps", kProduct, &kOutputMaps, In{1, 8192},
    "The DLA makes at most 8192 outputs.", "8.4 guide, Convolution"}},

  // -- deconvolution --
  {{"deconv.spatial", kDeconv, &kSpatialDims, In{2, 2},
    "The DLA deconvolves in two dimensions.", "8.4 guide, Deconvolution"}},
  {{"deconv.kernel", kDeconv, nullptr, Holds{deconv_kernel_form, "kernel sides in [1, 32], or 1 by 64, 96 or 128"},
    "The DLA deconvolves with kernels of at most 32 by 32, or 64, 96 or 128 by 1.", "8.5 guide, Deconvolution"}},
  {{"deconv.stride", kDeconv, nullptr, Holds{deconv_stride_form, "strides in [1, 32], or 1 by 64, 96 or 128"},
    "The DLA deconvolves with strides of at most 32, or 64, 96 or 128 by 1.", "8.5 guide, Deconvolution"}},
  {{"deconv.large-square", kDeconv, nullptr, Holds{deconv_large_square, "no square kernel and stride that both lie in [23, 32]"},
    "TensorRT keeps these off the DLA, whose compiler takes very long for them.", "8.5 guide, Deconvolution"}},
  {{"deconv.padding", kDeconv, &kPadding, In{0, 0},
    "The DLA deconvolves without padding.", "8.4 guide, Deconvolution"}},
  {{"deconv.output-padding", kDeconv, &kOutputPadding, In{0, 0},
    "The DLA deconvolves without output padding.", "8.4 guide, Deconvolution"}},
  {{"deconv.groups", kDeconv, &kGroups, In{1, 1},
    "The DLA deconvolves without groups.", "8.4 guide, Deconvolution"}},
  {{"deconv.dilation", kDeconv, &kDilation, In{1, 1},
    "The DLA deconvolves without dilation.", "8.4 guide, Deconvolution"}},
  {{"deconv.input-channels", kDeconv, &kInputMaps, In{1, 8192},
    "The DLA reads at most 8192 input channels.", "8.4 guide, Deconvolution"}},
  {{"deconv.output-maps", kDeconv, &kOutputMaps, In{1, 8192},
    "The DLA makes at most 8192 output maps.", "8.4 guide, Deconvolution"}},
  {{"deconv.weights", kDeconv, nullptr, Holds{variable_weights, "constant weights and bias"},
    "The DLA's weights are part of its loadable.", "DLA-SW operator table"}},

  // -- pooling --
  {{"pool.kind", kPool, nullptr, Holds{other_pool_kind, "MAX or AVERAGE pooling"},
    "The DLA pools by maximum and by average.", "8.4 guide, Pooling"}},
  {{"pool.spatial", kPool, &kSpatialDims, In{2, 2},
    "The DLA pools in two dimensions.", "8.4 guide, Pooling"}},
  {{"pool.window", kPool, &kWindow, In{1, 8},
    "The DLA pools over windows of at most 8 by 8.", "8.4 guide, Pooling"}},
  {{"pool.padding", kPool, &kPoolPadding, In{0, 7},
    "The DLA pads a pooling by at most 7.", "8.4 guide, Pooling"}},
  {{"pool.stride", kPool, &kPoolStride, In{1, 16},
    "The DLA moves a pooling window at most 16 pixels a step.", "8.4 guide, Pooling"}},
  {{"pool.dilation", kPool, &kPoolDilation, In{1, 1},
    "TensorRT's pooling has no dilation.", "TensorRT headers, IPoolingLayer"}},
  {{"pool.outputs", kPool, &kPoolOutputs, In{1, 1},
    "TensorRT's pooling gives no indices.", "TensorRT headers, IPoolingLayer"}},
  {{"pool.count-padding", kPool, nullptr, Holds{uncounted_padding, "an average that counts the padding, or no padding"},
    "The DLA's average counts padded cells.", "10.x guide, Pooling"}},
  {{"pool.scale", kPool, nullptr, Holds{pool_scales, "equal ranges of input and output"},
    "The DLA pools INT8 without rescaling.", "8.4 guide, Pooling"}, {kAll, kAll, true}},

  // -- activation, parametric ReLU --
  {{"activation.kind", kActivation, nullptr, Holds{other_activation, "ReLU, Clip, LeakyReLU, Sigmoid or TanH"},
    "The DLA has ReLU, clipped ReLU, leaky ReLU, Sigmoid and TanH.", "8.4 guide, Activation",
    "DLA cores do not support {value} Activation operation."}},
  {{"activation.clip-low", kActivation, &kClipLow, In{0, 0},
    "The DLA's clipped ReLU starts at 0.", "8.4 guide, Activation"}},
  {{"activation.clip-high", kActivation, &kClipHigh, In{1, 127},
    "The DLA's clipped ReLU ends between 1 and 127.", "8.4 guide, Activation"}},
  {{"prelu.slope", {Op::PRelu}, nullptr, Holds{odd_slope, "a constant slope: one value, one per channel or one per element"},
    "The DLA's slopes are part of its loadable.", "8.5 guide, Parametric ReLU"}},

  // -- elementwise and comparison --
  {{"eltwise.kind", kEltwise, nullptr, Holds{other_elementwise, "Sum, Sub, Prod, Max, Min, Equal, Greater, Less, Div or Pow"},
    "The DLA has no such operation on two tensors.", "8.4 guide, ElementWise", kEltwiseLog}},
  {{"eltwise.equal", kEltwise, nullptr, Holds{is_equal, "Sum, Sub, Prod, Max or Min"},
    "Equal came to the DLA of Orin with TensorRT 8.5.", "8.5 guide, Comparison", kEltwiseLog}, {kAll, kBefore85}},
  {{"eltwise.ordering", kEltwise, nullptr, Holds{is_ordering, "Sum, Sub, Prod, Max or Min"},
    "Greater and Less came to the DLA of Orin with TensorRT 8.6.", "10.x guide, Comparison", kEltwiseLog}, {kAll, kBefore86}},
  {{"eltwise.quotient", kEltwise, nullptr, Holds{is_quotient, "Sum, Sub, Prod, Max or Min"},
    "Div and Pow came to the DLA of Orin with TensorRT 8.6.", "10.x guide, ElementWise", kEltwiseLog}, {kAll, kBefore86}},
  {{"eltwise.constant", kEltwise, nullptr, Holds{quotient_of_tensors, "Div and Pow in INT8 with one uniform constant"},
    "The DLA divides and raises to powers by table, with one operand fixed.", "10.x guide, ElementWise", kEltwiseLog}, {kNone, kFrom86}},
  {{"eltwise.comparison-precision", kEltwise, nullptr, Holds{comparison_not_int8, "comparisons in INT8"},
    "The DLA compares INT8 alone.", "8.5 guide, Comparison"}, {kNone, kFrom85}},
  {{"eltwise.comparison-use", kEltwise, nullptr, Holds{comparison_used_otherwise, "a comparison that only casts to FP16 or INT8 use"},
    "The DLA gives a comparison's result to a cast alone.", "8.5 guide, Comparison"}, {kNone, kFrom85}},
  {{"eltwise.broadcast", kEltwise, nullptr, Holds{odd_broadcast, "operands of NCHW with NCHW, NC11 or N111"},
    "The DLA broadcasts one value per image or per channel.", "10.x guide, ElementWise"}},

  // -- scale, LRN, concatenation --
  {{"scale.constant", kScale, nullptr, Holds{variable_scale, "constant scale and shift"},
    "The DLA's scales are part of its loadable.", "8.4 guide, Scale"}},
  {{"lrn.window", {Op::Lrn}, &kLrnWindow, OneOf{{3, 5, 7, 9}, 4},
    "The DLA normalizes over 3, 5, 7 or 9 channels.", "8.4 guide, LRN"}},
  {{"concat.axis", kConcat, &kConcatAxis, In{1, 1},
    "DLA only supports concatenation on the C dimension.", "8.4 guide, Concatenation"}},
  {{"concat.inputs", kConcat, &kConcatInputs, In{2, 1 << 20},
    "DLA only supports concatenation of at least 2 inputs.", "8.4 guide, Concatenation"}},
  {{"concat.scale", kConcat, nullptr, Holds{concat_scales, "equal ranges of all inputs and the output"},
    "The DLA concatenates INT8 without rescaling.", "8.4 guide, Concatenation"}, {kAll, kAll, true}},

  // -- resize --
  {{"resize.scales", kResize, nullptr, Holds{resize_without_scales, "4 constant scales"},
    "The DLA resizes by scales that are known when the engine is built.", "8.4 guide, Resize"}},
  {{"resize.outer", kResize, &kResizeOuter, In{1, 1},
    "The DLA resizes rows and columns alone.", "8.4 guide, Resize"}},
  {{"resize.mode", kResize, nullptr, Holds{other_resize_mode, "nearest or linear resizing"},
    "The DLA resizes by nearest and bilinear.", "8.4 guide, Resize"}},
  {{"resize.integer", kResize, nullptr, Holds{fractional_factor, "integer scales"},
    "The DLA resizes by integer factors.", "8.4 guide, Resize"}},
  {{"resize.nearest", kResize, &kNearestFactor, In{1, 32},
    "The DLA resizes by nearest at most 32 times.", "8.4 guide, Resize"}},
  {{"resize.linear", kResize, &kLinearFactor, In{1, 4},
    "The DLA resizes bilinearly at most 4 times.", "8.4 guide, Resize"}},
  {{"resize.rounding", kResize, nullptr, Holds{other_resize_rounding,
     "nearest: asymmetric with floor, or half_pixel with round_prefer_floor or round_prefer_ceil; linear: half_pixel"},
    "The DLA takes these pairs of coordinates and rounding alone.", "TensorRT headers, IResizeLayer"}},
  {{"resize.extras", kResize, nullptr, Holds{resize_extras, "no antialiasing and nothing excluded outside"},
    "TensorRT's resize has neither.", "TensorRT headers, IResizeLayer"}},

  // -- unary --
  {{"unary.kind", kUnary, nullptr, Holds{other_unary, "Abs, Sin, Cos or Atan"},
    "The DLA has no such operation.", "8.4 guide, Unary", kUnaryLog}},
  {{"unary.trigonometry", kUnary, nullptr, Holds{is_trigonometric, "Abs"},
    "Sin, Cos and Atan came to the DLA of Orin after TensorRT 8.5.", "10.x guide, Unary", kUnaryLog}, {kAll, kBefore86}},
  {{"unary.precision", kUnary, nullptr, Holds{trigonometric_not_int8, "Sin, Cos and Atan in INT8"},
    "The DLA computes these by tables of 256 entries.", "10.x guide, Unary"}, {kNone, kFrom86}},

  // -- slice, softmax, shuffle, reduce --
  {{"slice.target", kSlice, nullptr, Never{"Orin and TensorRT 8.5 or later"},
    "Slices came to the DLA of Orin with TensorRT 8.5.", "8.5 guide, Slice"}, {kAll, kBefore85}},
  {{"slice.rank", kSlice, &kRank, In{4, 4},
    "The DLA slices tensors of 4 dimensions.", "8.5 guide, Slice", "DLA only supports slicing 4 dimensional tensors."}},
  {{"slice.precision", kSlice, nullptr, Holds{int8_precision, "precision FP16"},
    "The DLA slices FP16 alone before TensorRT 10.", "8.5 guide, Slice"}, {kNone, k85 | k86}},
  {{"slice.static", kSlice, nullptr, Holds{variable_slice, "constant starts and sizes"},
    "The DLA slices at places that are known when the engine is built.", "8.5 guide, Slice"}, {kNone, kFrom85}},
  {{"slice.batch", kSlice, nullptr, Holds{slice_of_batch, "slices of C, H and W"},
    "The DLA does not slice the batch.", "8.5 guide, Slice"}, {kNone, kFrom85}},
  {{"slice.step", kSlice, &kSliceSteps, In{1, 1},
    "The DLA slices without steps.", "8.5 guide, Slice"}, {kNone, kFrom85}},
  {{"softmax.target", kSoftmax, nullptr, Never{"Orin"},
    "Softmax is for the DLA of Orin alone.", "8.4 guide, Softmax"}, {kAll, kNone}},
  {{"softmax.kind", kSoftmax, nullptr, Holds{other_softmax, "plain softmax"},
    "The DLA has plain softmax alone.", "8.4 guide, Softmax"}, {kNone, kAll}},
  {{"softmax.axis", kSoftmax, nullptr, Holds{softmax_of_batch, "an axis that is not the batch"},
    "The DLA takes softmax along C, H or W.", "8.4 guide, Softmax"}, {kNone, kAll}},
  {{"softmax.batch", kSoftmax, &kSoftmaxBatch, In{1, 1},
    "TensorRT 8.4 takes softmax of one image to the DLA.", "8.4 guide, Softmax"}, {kNone, k84}},
  {{"softmax.other-dimensions", kSoftmax, &kSoftmaxOther, In{1, 1},
    "TensorRT 8.4 takes softmax to the DLA when all dimensions beside the axis are 1.", "8.4 guide, Softmax"}, {kNone, k84}},
  {{"softmax.precision", kSoftmax, nullptr, Holds{int8_precision, "precision FP16"},
    "The DLA computes softmax in FP16.", "8.5 guide, Softmax"}, {kNone, kFrom85}},
  {{"softmax.accurate", kSoftmax, &kSoftmaxAlone, In{1, 8192},
    "The DLA's accurate softmax takes at most 8192 values.", "8.5 guide, Softmax"}, {kNone, kFrom85}},
  {{"softmax.optimized", kSoftmax, &kSoftmaxBeside, In{1, 1024},
    "The DLA's optimized softmax takes at most 1024 values.", "8.5 guide, Softmax"}, {kNone, kFrom85}},
  {{"shuffle.target", kShuffle, nullptr, Never{"Orin and TensorRT 8.5 or later"},
    "Shuffles came to the DLA of Orin with TensorRT 8.5.", "8.5 guide, Shuffle"}, {kAll, kBefore85}},
  {{"shuffle.rank", kShuffle, &kShuffleRank, In{4, 4},
    "The DLA shuffles between tensors of 4 dimensions.", "8.5 guide, Shuffle"}, {kNone, kFrom85}},
  {{"shuffle.batch", kShuffle, nullptr, Holds{shuffle_of_batch, "a batch that stays in its place"},
    "The DLA does not shuffle the batch.", "8.5 guide, Shuffle"}, {kNone, kFrom85}},
  {{"shuffle.neighbour", kShuffle, nullptr, Holds{reshape_beside_slice, "no slice or concatenation beside it"},
    "Some releases refuse a reshape beside a slice or concatenation.", "Deployment reports",
    "", Effect::Warns}, {kNone, kFrom85}},
  {{"reduce.kind", kReduce, nullptr, Holds{other_reduce, "a MAX reduce"},
    "The DLA reduces by maximum alone.", "10.x guide, Reduce", kReduceLog}, {kNone, kFrom86}},
  {{"reduce.kind", kReduce, nullptr, Holds{other_reduce, "a layer that is no reduce"},
    "Xavier's DLA has no reduce, nor has Orin's before TensorRT 8.6.", "10.x guide, Reduce", kReduceLog}, {kAll, kBefore86}},
  {{"reduce.target", kReduce, nullptr, Holds{is_max_reduce, "Orin and TensorRT 8.6 or later for a reduce"},
    "The MAX reduce came to the DLA of Orin with TensorRT 8.6.", "10.x guide, Reduce", kReduceLog}, {kAll, kBefore86}},
  {{"reduce.axes", kReduce, nullptr, Holds{reduce_of_batch, "axes among C, H and W"},
    "The DLA does not reduce the batch.", "10.x guide, Reduce"}, {kNone, kFrom86}},
  {{"reduce.dimensions", kReduce, nullptr, Holds{dropped_dims, "reduced dimensions that stay as 1"},
    "The DLA's results have 4 dimensions.", "10.x guide, Reduce"}, {kNone, kFrom86}},
  {{"cast.target", kCast, nullptr, Never{"Orin and TensorRT 8.5 or later"},
    "Casts came to the DLA of Orin with its comparisons.", "8.5 guide, Comparison"}, {kAll, kBefore85}},
  {{"cast.comparison", kCast, nullptr, Holds{cast_of_no_comparison, "a cast of a comparison's result to FP16 or INT8"},
    "The DLA casts the results of its comparisons alone.", "8.5 guide, Comparison"}, {kNone, kFrom85}},

  // -- the network as a whole: placement enforces these --
  {{"network.loadables", kNetwork, &kLoadables, In{0, 4},
    "A core holds at most 4 loadables.", "8.4 guide, Working with DLA"}, {k84, k84}},
  {{"network.loadables", kNetwork, &kLoadables, In{0, 16},
    "A core holds at most 16 loadables.", "8.5 guide, Working with DLA"}, {kFrom85, kFrom85}},
  {{kOneBatch, kNetwork, nullptr, Never{"one batch for all layers of a loadable"},
    "Layers of different batch go into different loadables.", "10.x guide, DLA layer restrictions"}, {kNone, k10}},
};
// clang-format on

constexpr bool overlap(const RuleScope& a, const RuleScope& b) {
  return (a.xavier & b.xavier) != 0 || (a.orin & b.orin) != 0;
}

constexpr bool is_complete(const ir::Rule& rule) {
  const bool measures =
      std::holds_alternative<In>(rule.need) || std::holds_alternative<OneOf>(rule.need);
  return !rule.id.empty() && !rule.reason.empty() && !rule.source.empty() &&
         measures == (rule.fact != nullptr);
}

/// Every row has its words; an id stands twice only where the scopes are apart.
constexpr bool well_formed(std::span<const RuleRow> rows) {
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!is_complete(rows[i].rule)) return false;
    for (size_t j = 0; j < i; ++j)
      if (rows[i].rule.id == rows[j].rule.id && overlap(rows[i].on, rows[j].on)) return false;
  }
  return true;
}
static_assert(well_formed(kRows));

bool applies(const RuleRow& row, const ir::Node& node, const Target& target) {
  if (!row.rule.ops.contains(node.op)) return false;
  if (row.on.int8_only && target.precision != ir::DataType::Int8) return false;
  return row.on.holds_on(target.generation, target.edition);
}

std::string target_text(const Target& target) {
  return format("{} and {}", target.generation == Generation::Xavier ? "Xavier" : "Orin",
                ir::text(target.edition));
}

}  // namespace

Edition default_edition(Generation generation) {
  return generation == Generation::Xavier ? Edition::V8_5 : Edition::V10;
}

bool is_known(Generation generation, Edition edition) {
  return generation == Generation::Orin || edition <= Edition::V8_5;
}

bool RuleScope::holds_on(Generation generation, Edition edition) const {
  const uint8_t editions = generation == Generation::Xavier ? xavier : orin;
  return (editions & (1u << static_cast<unsigned>(edition))) != 0;
}

std::vector<ir::Finding> check(const ir::Graph& graph, const ir::Node& node, const Target& target) {
  const ir::Layer layer{graph, node, target.precision};
  std::vector<ir::Finding> findings;
  for (const RuleRow& row : kRows) {
    if (!applies(row, node, target)) continue;
    std::optional<ir::Finding> finding = ir::check(layer, row.rule);
    if (!finding) continue;
    if (finding->value.empty()) finding->value = target_text(target);
    findings.push_back(std::move(*finding));
  }
  return findings;
}

int loadable_cap(Generation generation, Edition edition) {
  for (const RuleRow& row : kRows)
    if (row.rule.fact == &kLoadables && row.on.holds_on(generation, edition))
      return static_cast<int>(std::get<In>(row.rule.need).high);
  return 0;
}

bool keeps_batches_apart(Generation generation, Edition edition) {
  return std::any_of(std::begin(kRows), std::end(kRows), [&](const RuleRow& row) {
    return row.rule.id == kOneBatch && row.on.holds_on(generation, edition);
  });
}

int largest_batch() {
  for (const RuleRow& row : kRows)
    if (row.rule.fact == &kBatch) return static_cast<int>(std::get<In>(row.rule.need).high);
  return 0;
}

std::span<const RuleRow> rule_table() { return kRows; }

}  // namespace dlaexec::dla
