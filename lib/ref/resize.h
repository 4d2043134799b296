// What resize makes of one axis: which input positions make an output position.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/attributes.h"
#include "ir/shape.h"

namespace dlaexec::ref {

/// A position of the input and its share.
struct ResizeTap {
  int64_t index;
  double weight;
};

struct ResizedAxis {
  size_t axis;
  int64_t in, out;
  double scale;
  double real_out;  ///< the size before it is rounded: in * scale
  double roi_start = 0, roi_end = 1;
};

/// The inputs of a resize that say how large the result is; sizes go before scales, absent ones are
/// empty.
struct ResizeSizes {
  std::vector<int64_t> sizes;
  std::vector<float> scales, roi;
};

/// The axes that are resized, of an input of dimensions @p x. Throws an Error when the sizes do not
/// fit it.
std::vector<ResizedAxis> resized_axes(const ir::ResizeAttributes& attributes, const ir::Dims& x,
                                      const ResizeSizes& wanted);

/// The input positions that make output @p position of @p axis, with weights that sum to 1.
std::vector<ResizeTap> resize_taps(const ir::ResizeAttributes& attributes, const ResizedAxis& axis,
                                   int64_t position);

}  // namespace dlaexec::ref
