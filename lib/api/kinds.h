// Between the public API's kinds of operations and the graph's, one table per enum.
#pragma once

#include "dlaexec/types.h"
#include "ir/op.h"

namespace dlaexec::api {

// Each throws an Error for a value that the graph has no word for; the way back always exists for
// what came from the API, and gives the nearest kind for what came from a model.
ir::ActivationKind to_ir(ActivationType type);
ir::UnaryKind to_ir(UnaryOperation operation);
ir::ElementwiseKind to_ir(ElementWiseOperation operation);
ir::ReduceKind to_ir(ReduceOperation operation);
ActivationType to_api(ir::ActivationKind kind);
UnaryOperation to_api(ir::UnaryKind kind);
ElementWiseOperation to_api(ir::ElementwiseKind kind);
ReduceOperation to_api(ir::ReduceKind kind);
LayerType layer_type(ir::Op op);

}  // namespace dlaexec::api
