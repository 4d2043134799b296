// Arithmetic of dimensions: constants are computed; what holds a symbol becomes a symbol named by
// its expression, so that equal computations give equal symbols.
#pragma once

#include "ir/shape.h"

namespace dlaexec::ir {

Dim sum(const Dim& a, const Dim& b);
Dim difference(const Dim& a, const Dim& b);
Dim product(const Dim& a, const Dim& b);
/// Rounded towards minus infinity. @p b is not zero.
Dim floor_quotient(const Dim& a, const Dim& b);
Dim ceil_quotient(const Dim& a, const Dim& b);
Dim smaller(const Dim& a, const Dim& b);
Dim larger(const Dim& a, const Dim& b);

/// The product of all dimensions.
Dim element_count(const Shape& shape);

/// What @p whole holds besides @p part: the dimension d with element_count(part) * d =
/// element_count(whole). Equal symbols cancel.
Dim remaining(const Shape& whole, const Shape& part);

/// The dimensions that numpy's broadcast gives; throws an Error that shows both when they do not
/// fit.
Shape broadcast(const Shape& a, const Shape& b);

/// The shape of a value whose rank only its data tells: one dimension called "...".
Shape unranked();
bool is_ranked(const Shape& shape);

}  // namespace dlaexec::ir
