// Device code on the host: kernels that use no tensor cores are C++ that the machine's compiler
// takes too, so their results can be compared with ref/ where there is no device.
#pragma once

#include <string>
#include <vector>

#include "gpu/lowering.h"
#include "ir/tensor.h"

namespace dlaexec::gpu {

/// Empty when kernels can be compiled for the host; otherwise the reason why tests skip.
const std::string& why_not_on_host();

/// Runs the launches of @p lowered one thread after the other and returns its outputs.
std::vector<ir::Tensor> run_on_host(const Lowered& lowered, const std::vector<ir::Tensor>& inputs);

/// Runs @p text on the host with the kernels chosen for @p architecture, and on ref/; the results
/// must agree, reals within @p tolerance in relative L2.
void expect_like_ref_on_host(const std::string& text, double tolerance = 1e-5,
                             const char* architecture = "sm_87");

}  // namespace dlaexec::gpu
