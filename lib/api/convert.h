// Between the public API's values and the graph's.
#pragma once

#include "dlaexec/types.h"
#include "ir/graph.h"

namespace dlaexec::api {

/// Throws an Error for a type that no tensor of the graph has.
ir::DataType to_ir(DataType type);
DataType to_api(ir::DataType type);

ir::Shape to_shape(const Dims& dims);
/// Unknown dimensions become -1. Throws an Error past eight dimensions.
Dims to_dims(const ir::Shape& shape);
ir::Ints to_ints(const Dims& dims);
Dims ints_to_dims(const ir::Ints& ints);

/// A copy of the caller's elements under @p dims. Throws an Error that names @p what when the count
/// does not fit.
ir::Tensor to_tensor(const Weights& weights, const ir::Dims& dims, std::string_view what);

}  // namespace dlaexec::api
