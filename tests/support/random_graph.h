// Small networks made up from a seed: for tests that must hold for any network.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/graph.h"

namespace dlaexec::test {

/// A convolutional network of about @p layers layers: convolutions with and without BatchNorm,
/// activations, pooling, residual sums, concatenations, layers that change nothing, and at times a
/// classifier at its end. All types Float32, shapes inferred.
ir::Graph random_network(uint32_t seed, int layers);

/// Random inputs for @p graph, whose shapes are static.
std::vector<ir::Tensor> random_inputs(const ir::Graph& graph, uint32_t seed);

/// The largest difference between two tensors, as a part of the largest magnitude in @p wanted.
/// Infinite when types or dimensions differ.
double relative_difference(const ir::Tensor& got, const ir::Tensor& wanted);

}  // namespace dlaexec::test
