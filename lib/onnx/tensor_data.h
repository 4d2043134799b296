// Tensors of the file: inside it or in external data files beside it.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/file.h"
#include "ir/tensor.h"

namespace dlaexec::onnx_file {
class TensorProto;
}

namespace dlaexec::onnx {

/// Reads the tensors of one model.
class TensorReader {
 public:
  /// External data is looked for in @p folder and below, never outside.
  explicit TensorReader(std::string folder) : folder_(std::move(folder)) {}

  /// The elements of @p tensor, whose raw data is taken out of it. float64 becomes f32. Throws an
  /// Error that names the tensor when type, dimensions and data do not fit.
  ir::Tensor read(onnx_file::TensorProto& tensor);

  /// The hashes of the external files read so far, by name; empty when there are none.
  std::string external_hashes() const;

 private:
  ir::Tensor read_external(const onnx_file::TensorProto& tensor, ir::DataType type,
                           const ir::Dims& dims);
  const MappedFile& mapped(const std::string& location);

  std::string folder_;
  std::map<std::string, MappedFile> files_;
};

/// The type that elements of ONNX's @p type get here; throws an Error that names @p owner when
/// there is none.
ir::DataType data_type(int type, std::string_view owner);

}  // namespace dlaexec::onnx
