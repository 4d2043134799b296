#include "ir/infer/site.h"

namespace dlaexec::ir {

const Shape& Site::shape(size_t input) const {
  if (!has(input)) fail("input {} is absent; it is required", input);
  return value(input).shape;
}

void Site::require_rank(size_t input, int64_t least, int64_t most) const {
  const int64_t found = rank(input);
  if (found >= least && found <= most) return;
  if (least == most)
    fail("input '{}' has shape {}; {} dimensions are needed", value(input).name,
         to_text(shape(input)), least);
  fail("input '{}' has shape {}; at least {} dimensions are needed", value(input).name,
       to_text(shape(input)), least);
}

const Contents* Site::contents(size_t input) const {
  return has(input) ? inference_.contents(node_.inputs[input]) : nullptr;
}

std::optional<Ints> Site::ints(size_t input) const {
  return has(input) ? inference_.known_ints(node_.inputs[input]) : std::nullopt;
}

Dim Site::data_dependent(size_t output, size_t axis) const {
  const ValueId id = node_.outputs[output];
  return Dim(format("{}.{}", id == kNoValue ? node_.name : graph_.value(id).name, axis));
}

Shape Site::data_dependent_shape(size_t output, int64_t rank) const {
  constexpr int64_t kMostDimensions = 64;
  if (rank < 0 || rank > kMostDimensions)
    fail("the result has {} dimensions; 0 to {} are allowed", rank, kMostDimensions);
  Shape shape;
  for (int64_t i = 0; i < rank; ++i)
    shape.push_back(data_dependent(output, static_cast<size_t>(i)));
  return shape;
}

size_t Site::axis_in(int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank)
    fail("axis is {}; an input of {} dimensions allows {} to {}", axis, rank, -rank, rank - 1);
  return static_cast<size_t>(axis < 0 ? axis + rank : axis);
}

}  // namespace dlaexec::ir
