#include "api/convert.h"

#include <cstring>

namespace dlaexec::api {
namespace {

struct TypePair {
  DataType api;
  ir::DataType ir;
};
constexpr TypePair kTypes[] = {
    {DataType::kFLOAT, ir::DataType::Float32}, {DataType::kHALF, ir::DataType::Float16},
    {DataType::kINT8, ir::DataType::Int8},     {DataType::kINT32, ir::DataType::Int32},
    {DataType::kBOOL, ir::DataType::Bool},     {DataType::kUINT8, ir::DataType::UInt8},
    {DataType::kBF16, ir::DataType::BFloat16}, {DataType::kINT64, ir::DataType::Int64},
};

}  // namespace

ir::DataType to_ir(DataType type) {
  for (const TypePair& pair : kTypes)
    if (pair.api == type) return pair.ir;
  fail("data type {} is unknown; use one of the DataType enum", static_cast<int>(type));
}

DataType to_api(ir::DataType type) {
  for (const TypePair& pair : kTypes)
    if (pair.ir == type) return pair.api;
  __builtin_unreachable();
}

ir::Shape to_shape(const Dims& dims) {
  ir::Shape shape;
  for (int32_t i = 0; i < dims.nbDims; ++i)
    shape.push_back(dims.d[i] >= 0 ? ir::Dim(dims.d[i]) : ir::Dim(format("d{}", i)));
  return shape;
}

Dims to_dims(const ir::Shape& shape) {
  if (shape.size() > Dims::MAX_DIMS)
    fail("a tensor of {} dimensions; the API takes at most {}", shape.size(), Dims::MAX_DIMS);
  Dims dims;
  dims.nbDims = static_cast<int32_t>(shape.size());
  for (size_t i = 0; i < shape.size(); ++i)
    dims.d[i] = shape[i].is_known() ? static_cast<int32_t>(shape[i].value) : -1;
  return dims;
}

ir::Ints to_ints(const Dims& dims) { return {dims.d, dims.d + dims.nbDims}; }

Dims ints_to_dims(const ir::Ints& ints) {
  Dims dims;
  dims.nbDims = static_cast<int32_t>(std::min<size_t>(ints.size(), Dims::MAX_DIMS));
  for (int32_t i = 0; i < dims.nbDims; ++i)
    dims.d[i] = static_cast<int32_t>(ints[static_cast<size_t>(i)]);
  return dims;
}

ir::Tensor to_tensor(const Weights& weights, const ir::Dims& dims, std::string_view what) {
  if (weights.count != ir::volume(dims))
    fail("{}: {} weights given, shape {} needs {}", what, weights.count, ir::to_text(dims),
         ir::volume(dims));
  ir::Tensor tensor(to_ir(weights.type), dims);
  if (tensor.count() > 0)
    std::memcpy(tensor.mutable_bytes().data(), weights.values, tensor.size_bytes());
  return tensor;
}

}  // namespace dlaexec::api
