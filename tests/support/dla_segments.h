// Typed segments for tests of the DLA, run on the emulated core and on ref.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dla/compile/compile.h"
#include "dla/core/core.h"
#include "ir/graph.h"

namespace dlaexec::test {

/// Why compile() refuses @p segment; nothing when it does not.
std::optional<dla::Refusal> refusal_of(const ir::Graph& segment,
                                       const dla::CompileOptions& options);

/// @p segment compiled for a generation with its default pools.
dla::Loadable compiled(const ir::Graph& segment,
                       dla::Generation generation = dla::Generation::Orin);

/// One seeded tensor per input of @p segment, of its type: floats in [-2, 2), full-range integers.
std::vector<ir::Tensor> seeded_inputs(const ir::Graph& segment, uint64_t seed);

/// The outputs of @p loadable on one core.
std::vector<ir::Tensor> run_dla(const dla::Loadable& loadable,
                                const std::vector<ir::Tensor>& inputs,
                                dla::core::Isa isa = dla::core::Isa::Scalar);

/// The largest difference between the core and ref on seeded inputs, over all outputs: in steps for
/// i8, for f16 relative to the larger of 1 and the reference.
double difference_from_ref(const ir::Graph& segment,
                           dla::Generation generation = dla::Generation::Orin, uint64_t seed = 1);

/// A segment of one convolution: text of ir/text.h.
struct ConvCase {
  int64_t n = 1, c = 16, h = 8, w = 8, k = 16;
  dla::Hw kernel{3, 3}, stride, dilation;
  dla::Padding pad;
  int64_t groups = 1;
  std::string epilogue;  ///< attributes after groups: ", activation=relu"
  bool has_bias = true, has_residual = false;
  /// INT8: of the output, against the one that a calibration would choose; small ones saturate.
  double scale = 1;
};
ir::Graph conv_segment(const ConvCase& conv, ir::DataType type);

/// The same shapes for everybody, drawn from @p seed.
ConvCase random_conv(uint64_t seed);

}  // namespace dlaexec::test
