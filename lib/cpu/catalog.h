// Every maker of kernels. Each returns nothing for nodes it cannot run.
#pragma once

#include "cpu/kernel.h"

namespace dlaexec::cpu {

std::optional<Kernel> make_winograd_conv(const Request& request);
std::optional<Kernel> make_direct_conv(const Request& request);
std::optional<Kernel> make_first_conv(const Request& request);
std::optional<Kernel> make_depthwise_conv(const Request& request);
std::optional<Kernel> make_int8_depthwise_conv(const Request& request);
std::optional<Kernel> make_first_int8_conv(const Request& request);
std::optional<Kernel> make_int8_conv(const Request& request);
std::optional<Kernel> make_deconv(const Request& request);
std::optional<Kernel> make_view(const Request& request);
std::optional<Kernel> make_reformat(const Request& request);
std::optional<Kernel> make_concat(const Request& request);
std::optional<Kernel> make_activation(const Request& request);
std::optional<Kernel> make_unary(const Request& request);
std::optional<Kernel> make_elementwise(const Request& request);
std::optional<Kernel> make_scale(const Request& request);
std::optional<Kernel> make_pool(const Request& request);
std::optional<Kernel> make_global_average(const Request& request);
std::optional<Kernel> make_lrn(const Request& request);
std::optional<Kernel> make_softmax(const Request& request);
std::optional<Kernel> make_last_axes_norm(const Request& request);
std::optional<Kernel> make_instance_norm(const Request& request);
std::optional<Kernel> make_last_axes_reduce(const Request& request);
std::optional<Kernel> make_transpose(const Request& request);
std::optional<Kernel> make_slice(const Request& request);
std::optional<Kernel> make_split(const Request& request);
std::optional<Kernel> make_expand(const Request& request);
std::optional<Kernel> make_depth_to_space(const Request& request);
std::optional<Kernel> make_gather(const Request& request);
std::optional<Kernel> make_resize(const Request& request);
std::optional<Kernel> make_gemm(const Request& request);
std::optional<Kernel> make_matmul(const Request& request);
std::optional<Kernel> make_int8_gemm(const Request& request);
std::optional<Kernel> make_int8_matmul(const Request& request);
std::optional<Kernel> make_int8_batched_matmul(const Request& request);
std::optional<Kernel> make_quantize(const Request& request);
std::optional<Kernel> make_dequantize(const Request& request);

/// The definition of the op itself, for what nothing else runs.
Kernel make_reference(const Request& request);

}  // namespace dlaexec::cpu
