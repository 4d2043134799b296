// Activation functions of one number.
#pragma once

#include "ir/attributes.h"

namespace dlaexec::ref {

/// The value of @p kind at @p x; what alpha and beta mean stands beside ir::ActivationKind.
double activate(ir::ActivationKind kind, double alpha, double beta, double x);

}  // namespace dlaexec::ref
