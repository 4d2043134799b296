// Small networks as ONNX files, for tests that run the built program.
#pragma once

#include <string>

#include "support/onnx_model.h"

namespace dlaexec::cli {

/// Two convolutions with activations on 1x3x16x16, pooled, then a fully connected layer: what the
/// DLA takes, and average pooling over all pixels, which it does not. @p batch may be a name.
test::OnnxModel small_network(const std::string& batch = "1");

/// Convolutions and activations alone, which the DLA takes all; its input is "input_tensor:0".
test::OnnxModel all_on_dla();

/// Eighteen convolutions with an activation between them that the DLA does not have, so that each
/// is a subgraph of its own; "last" is by far the heaviest.
test::OnnxModel eighteen_segments();

/// A convolution of many channels, and behind it one in groups, each with an activation.
test::OnnxModel of_many_channels();

/// A layer and a tensor named with quotes, a backslash, a line break and letters beyond ASCII.
test::OnnxModel nastily_named();
inline constexpr const char* kNastyName = "quote\" back\\slash\nnew line 'é'";

/// A node of an operator that nobody has, once for each of @p ops.
test::OnnxModel with_operators(const std::vector<std::string>& ops);

/// A detector's last layers: the boxes that overlap no better ones ("kept"), those as floats
/// ("listed"), and these added up ("total").
test::OnnxModel detector();

/// A network whose weights take @p mebibytes.
test::OnnxModel heavy(int64_t mebibytes);

}  // namespace dlaexec::cli
