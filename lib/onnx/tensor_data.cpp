#include "onnx/tensor_data.h"

#include <bit>
#include <charconv>
#include <cstring>
#include <filesystem>

#include "base/hash.h"
#include "dlaexec_onnx.pb.h"

namespace dlaexec::onnx {
namespace {

namespace fs = std::filesystem;
using onnx_file::TensorProto;

static_assert(std::endian::native == std::endian::little, "ONNX stores little-endian data");

std::string type_name(int type) {
  if (TensorProto::DataType_IsValid(type))
    return TensorProto::DataType_Name(static_cast<TensorProto::DataType>(type));
  return format("number {}", type);
}

/// Elements that a file stores in more bytes than we keep.
bool is_double(const TensorProto& tensor) { return tensor.data_type() == TensorProto::DOUBLE; }

ir::Dims dims_of(const TensorProto& tensor) {
  ir::Dims dims(tensor.dims().begin(), tensor.dims().end());
  for (const int64_t dim : dims)
    if (dim < 0) fail("tensor '{}' has a dimension of {}", tensor.name(), dim);
  return dims;
}

void require_bytes(const TensorProto& tensor, size_t found, size_t wanted) {
  if (found != wanted)
    fail("tensor '{}' of shape {} holds {} bytes; {} are needed", tensor.name(),
         ir::to_text(dims_of(tensor)), found, wanted);
}

ir::Tensor from_doubles(const ir::Dims& dims, const std::byte* data) {
  ir::Tensor result(ir::DataType::Float32, dims);
  const auto to = result.mutable_as<float>();
  for (size_t i = 0; i < to.size(); ++i) {
    double element = 0;
    std::memcpy(&element, data + i * sizeof(double), sizeof(double));
    to[i] = static_cast<float>(element);
  }
  return result;
}

ir::Tensor copied(ir::DataType type, const ir::Dims& dims, const std::byte* data) {
  ir::Tensor result(type, dims);
  if (result.size_bytes() > 0)
    std::memcpy(result.mutable_bytes().data(), data, result.size_bytes());
  return result;
}

/// Elements from one of the typed lists of the message.
template <class To, class List, class Convert>
ir::Tensor from_list(const TensorProto& tensor, const ir::Dims& dims, const List& list,
                     Convert&& convert) {
  const int64_t count = ir::volume(dims);
  if (count != list.size())
    fail("tensor '{}' of shape {} holds {} elements; {} are needed", tensor.name(),
         ir::to_text(dims), list.size(), count);
  ir::Tensor result(ir::kDataTypeOf<To>, dims);
  const auto to = result.mutable_as<To>();
  for (size_t i = 0; i < to.size(); ++i) to[i] = convert(list.Get(static_cast<int>(i)));
  return result;
}

ir::Tensor from_lists(const TensorProto& tensor, ir::DataType type, const ir::Dims& dims) {
  if (is_double(tensor))
    return from_list<float>(tensor, dims, tensor.double_data(),
                            [](double x) { return static_cast<float>(x); });
  if (type == ir::DataType::Float32)
    return from_list<float>(tensor, dims, tensor.float_data(), [](float x) { return x; });
  if (type == ir::DataType::Int64)
    return from_list<int64_t>(tensor, dims, tensor.int64_data(), [](int64_t x) { return x; });
  return ir::dispatch(type, [&]<class To>() {
    return from_list<To>(tensor, dims, tensor.int32_data(), [](int32_t x) {
      if constexpr (std::is_same_v<To, Half> || std::is_same_v<To, BFloat16>) {
        To element;
        element.bits = static_cast<uint16_t>(x);
        return element;
      } else if constexpr (std::is_same_v<To, bool>) {
        return x != 0;
      } else {
        return static_cast<To>(x);
      }
    });
  });
}

/// Bytes other than 0 and 1 would not be booleans.
ir::Tensor with_clean_bools(ir::Tensor tensor) {
  if (tensor.type() != ir::DataType::Bool) return tensor;
  ir::Tensor result(ir::DataType::Bool, tensor.dims());
  const std::byte* from = tensor.bytes().data();
  std::byte* to = result.mutable_bytes().data();
  for (int64_t i = 0; i < tensor.count(); ++i)
    to[i] = from[i] == std::byte{0} ? std::byte{0} : std::byte{1};
  return result;
}

std::optional<uint64_t> number_of(const std::string& text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

struct ExternalPlace {
  std::string location;
  uint64_t offset = 0;
  std::optional<uint64_t> length;
};

ExternalPlace place_of(const TensorProto& tensor) {
  ExternalPlace place;
  for (const auto& entry : tensor.external_data()) {
    if (entry.key() == "location") place.location = entry.value();
    if (entry.key() != "offset" && entry.key() != "length") continue;
    const auto number = number_of(entry.value());
    if (!number)
      fail("the external data of tensor '{}' has {} '{}'; a number is needed", tensor.name(),
           entry.key(), entry.value());
    if (entry.key() == "offset")
      place.offset = *number;
    else
      place.length = *number;
  }
  if (place.location.empty())
    fail("tensor '{}' is in external data, but no location is given", tensor.name());
  return place;
}

}  // namespace

ir::DataType data_type(int type, std::string_view owner) {
  switch (type) {
    case TensorProto::FLOAT:
    case TensorProto::DOUBLE:
      return ir::DataType::Float32;
    case TensorProto::FLOAT16:
      return ir::DataType::Float16;
    case TensorProto::BFLOAT16:
      return ir::DataType::BFloat16;
    case TensorProto::INT8:
      return ir::DataType::Int8;
    case TensorProto::UINT8:
      return ir::DataType::UInt8;
    case TensorProto::INT32:
      return ir::DataType::Int32;
    case TensorProto::INT64:
      return ir::DataType::Int64;
    case TensorProto::BOOL:
      return ir::DataType::Bool;
    default:
      fail(
          "'{}' has elements of type {}; FLOAT, FLOAT16, BFLOAT16, DOUBLE (as FLOAT), INT8, UINT8, "
          "INT32, INT64 and BOOL are supported",
          owner, type_name(type));
  }
}

const MappedFile& TensorReader::mapped(const std::string& location) {
  const auto known = files_.find(location);
  if (known != files_.end()) return known->second;
  const fs::path path = (fs::path(folder_) / location).lexically_normal();
  return files_.emplace(location, MappedFile(path.string())).first->second;
}

std::string TensorReader::external_hashes() const {
  std::string hashes;
  for (const auto& [location, file] : files_)
    hashes += format("{} {}\n", location, hash128_hex(file.bytes()));
  return hashes;
}

ir::Tensor TensorReader::read_external(const TensorProto& tensor, ir::DataType type,
                                       const ir::Dims& dims) {
  const ExternalPlace place = place_of(tensor);
  const fs::path relative = fs::path(place.location).lexically_normal();
  const bool escapes = relative.is_absolute() || relative.empty() || *relative.begin() == "..";
  if (escapes)
    fail("tensor '{}' names external data '{}'; it must lie in the model's folder or below",
         tensor.name(), place.location);
  const size_t element = is_double(tensor) ? sizeof(double) : ir::size_bytes(type);
  const auto wanted = static_cast<uint64_t>(ir::volume(dims)) * element;
  if (place.length && *place.length != wanted)
    fail("tensor '{}' of shape {} has external data of {} bytes; {} are needed", tensor.name(),
         ir::to_text(dims), *place.length, wanted);
  const MappedFile& file = mapped(place.location);
  const auto bytes = file.bytes();
  if (place.offset > bytes.size() || wanted > bytes.size() - place.offset)
    fail(
        "external data '{}' has {} bytes; tensor '{}' needs {} from byte {} on (is the file "
        "truncated?)",
        place.location, bytes.size(), tensor.name(), wanted, place.offset);
  const std::byte* data = bytes.data() + place.offset;
  if (is_double(tensor)) return from_doubles(dims, data);
  const bool aligned = reinterpret_cast<uintptr_t>(data) % element == 0;
  if (!aligned) return copied(type, dims, data);
  return ir::Tensor(type, dims, {data, wanted}, file.owner());
}

ir::Tensor TensorReader::read(TensorProto& tensor) {
  const ir::DataType type = data_type(tensor.data_type(), tensor.name());
  const ir::Dims dims = dims_of(tensor);
  const auto count = static_cast<uint64_t>(ir::volume(dims));
  if (count > (uint64_t{1} << 58)) fail("tensor '{}' is too large", tensor.name());
  if (tensor.has_segment()) fail("tensor '{}' is segmented; it must be whole", tensor.name());
  if (tensor.data_location() == TensorProto::EXTERNAL)
    return with_clean_bools(read_external(tensor, type, dims));
  if (!tensor.has_raw_data()) return from_lists(tensor, type, dims);
  const size_t element = is_double(tensor) ? sizeof(double) : ir::size_bytes(type);
  require_bytes(tensor, tensor.raw_data().size(), count * element);
  const auto owner = std::shared_ptr<const std::string>(tensor.release_raw_data());
  const auto* data = reinterpret_cast<const std::byte*>(owner->data());
  if (is_double(tensor)) return from_doubles(dims, data);
  const bool aligned = reinterpret_cast<uintptr_t>(data) % element == 0;
  if (!aligned || count == 0) return with_clean_bools(copied(type, dims, data));
  return with_clean_bools(ir::Tensor(type, dims, {data, count * element}, owner));
}

}  // namespace dlaexec::onnx
