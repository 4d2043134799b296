// What the rule table measures of a layer: facts, and the tests that no list of numbers says.
#pragma once

#include "ir/rule.h"

namespace dlaexec::dla {

// One value per tensor or axis; nothing where the fact does not apply or a shape is not known.
extern const ir::Fact kRank, kBatch, kChw;
extern const ir::Fact kKernel, kPadding, kStride, kDilation, kGroups, kHwc4Groups, kHwc4Channels;
extern const ir::Fact kInputMaps, kOutputMaps, kSpatialDims, kOutputPadding;
extern const ir::Fact kWindow, kPoolPadding, kPoolStride, kPoolDilation, kPoolOutputs;
extern const ir::Fact kClipLow, kClipHigh, kLrnWindow, kConcatAxis, kConcatInputs;
extern const ir::Fact kResizeOuter, kNearestFactor, kLinearFactor;
extern const ir::Fact kSoftmaxBatch, kSoftmaxOther, kSoftmaxAlone, kSoftmaxBeside;
extern const ir::Fact kSliceSteps, kShuffleRank;

// Each gives what was found when the layer breaks the rule.
#define DLAEXEC_BREACH(name) std::optional<std::string> name(const ir::Layer& layer)
DLAEXEC_BREACH(foreign_type);
DLAEXEC_BREACH(wide_precision);
DLAEXEC_BREACH(int8_precision);
DLAEXEC_BREACH(integer_tensors);
DLAEXEC_BREACH(symbolic_shape);
DLAEXEC_BREACH(hwc4_input);
DLAEXEC_BREACH(variable_weights);
DLAEXEC_BREACH(padding_past_kernel);
DLAEXEC_BREACH(hwc4_of_other_type);
DLAEXEC_BREACH(cbuf_overflow);
DLAEXEC_BREACH(cbuf_group_overflow);
DLAEXEC_BREACH(sparse_weights);
DLAEXEC_BREACH(sparse_in_vain);
DLAEXEC_BREACH(variable_factor);
DLAEXEC_BREACH(transposed_left);
DLAEXEC_BREACH(bias_not_per_output);
DLAEXEC_BREACH(product_not_rank_two);
DLAEXEC_BREACH(deconv_kernel_form);
DLAEXEC_BREACH(deconv_stride_form);
DLAEXEC_BREACH(deconv_large_square);
DLAEXEC_BREACH(other_pool_kind);
DLAEXEC_BREACH(uncounted_padding);
DLAEXEC_BREACH(pool_scales);
DLAEXEC_BREACH(other_activation);
DLAEXEC_BREACH(odd_slope);
DLAEXEC_BREACH(other_elementwise);
DLAEXEC_BREACH(is_equal);
DLAEXEC_BREACH(is_ordering);
DLAEXEC_BREACH(is_quotient);
DLAEXEC_BREACH(comparison_not_int8);
DLAEXEC_BREACH(comparison_used_otherwise);
DLAEXEC_BREACH(quotient_of_tensors);
DLAEXEC_BREACH(odd_broadcast);
DLAEXEC_BREACH(variable_scale);
DLAEXEC_BREACH(concat_scales);
DLAEXEC_BREACH(resize_without_scales);
DLAEXEC_BREACH(fractional_factor);
DLAEXEC_BREACH(other_resize_mode);
DLAEXEC_BREACH(other_resize_rounding);
DLAEXEC_BREACH(resize_extras);
DLAEXEC_BREACH(other_unary);
DLAEXEC_BREACH(is_trigonometric);
DLAEXEC_BREACH(trigonometric_not_int8);
DLAEXEC_BREACH(variable_slice);
DLAEXEC_BREACH(slice_of_batch);
DLAEXEC_BREACH(other_softmax);
DLAEXEC_BREACH(softmax_of_batch);
DLAEXEC_BREACH(shuffle_of_batch);
DLAEXEC_BREACH(reshape_beside_slice);
DLAEXEC_BREACH(other_reduce);
DLAEXEC_BREACH(is_max_reduce);
DLAEXEC_BREACH(reduce_of_batch);
DLAEXEC_BREACH(dropped_dims);
DLAEXEC_BREACH(cast_of_no_comparison);
#undef DLAEXEC_BREACH

/// The CBUF's view of a convolution or fully connected layer; nothing while a shape is not known.
struct CbufLayer;
std::optional<CbufLayer> cbuf_layer(const ir::Layer& layer);

/// C, H and W of a shape: of rank 2, the channels alone; else the last three of rank 3 and more,
/// missing ones being 1.
ir::Dims chw_of(const ir::Dims& dims);
/// The product of the dimensions that are not C, H or W.
int64_t batch_of(const ir::Dims& dims);

/// Inputs that are there and not constant.
std::vector<ir::ValueId> data_inputs(const ir::Graph& graph, const ir::Node& node);

}  // namespace dlaexec::dla
