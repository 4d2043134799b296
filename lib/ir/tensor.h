// A tensor in host memory, dense and row-major.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/half.h"
#include "ir/shape.h"
#include "ir/type.h"

namespace dlaexec::ir {

/// The DataType that holds elements of C++ type T.
template <class T>
inline constexpr DataType kDataTypeOf = DataType::Float32;
template <>
inline constexpr DataType kDataTypeOf<Half> = DataType::Float16;
template <>
inline constexpr DataType kDataTypeOf<BFloat16> = DataType::BFloat16;
template <>
inline constexpr DataType kDataTypeOf<int8_t> = DataType::Int8;
template <>
inline constexpr DataType kDataTypeOf<uint8_t> = DataType::UInt8;
template <>
inline constexpr DataType kDataTypeOf<int32_t> = DataType::Int32;
template <>
inline constexpr DataType kDataTypeOf<int64_t> = DataType::Int64;
template <>
inline constexpr DataType kDataTypeOf<bool> = DataType::Bool;

/// Elements with a type and dimensions. Copies share the memory; mutable access is for whoever
/// made the tensor, before it is handed on.
class Tensor {
 public:
  Tensor() = default;
  /// Fresh memory, aligned to 64 bytes and uninitialized.
  Tensor(DataType type, Dims dims);
  /// Shares memory that @p owner keeps alive; @p bytes must hold the elements.
  Tensor(DataType type, Dims dims, std::span<const std::byte> bytes,
         std::shared_ptr<const void> owner);

  template <class T>
  static Tensor of(Dims dims, const std::vector<T>& elements) {
    Tensor tensor(kDataTypeOf<T>, std::move(dims));
    DLAEXEC_CHECK(static_cast<int64_t>(elements.size()) == tensor.count());
    std::copy(elements.begin(), elements.end(), tensor.mutable_as<T>().begin());
    return tensor;
  }
  static Tensor zeros(DataType type, Dims dims);
  template <class T>
  static Tensor scalar(T element) {
    Tensor tensor(kDataTypeOf<T>, {});
    tensor.mutable_as<T>()[0] = element;
    return tensor;
  }

  DataType type() const { return type_; }
  const Dims& dims() const { return dims_; }
  int64_t rank() const { return static_cast<int64_t>(dims_.size()); }
  int64_t count() const { return count_; }
  size_t size_bytes() const { return static_cast<size_t>(count_) * ir::size_bytes(type_); }

  std::span<const std::byte> bytes() const { return {data_, size_bytes()}; }
  std::span<std::byte> mutable_bytes() { return {const_cast<std::byte*>(data_), size_bytes()}; }

  template <class T>
  std::span<const T> as() const {
    DLAEXEC_CHECK(type_ == kDataTypeOf<T>);
    return {reinterpret_cast<const T*>(data_), static_cast<size_t>(count_)};
  }
  template <class T>
  std::span<T> mutable_as() {
    DLAEXEC_CHECK(type_ == kDataTypeOf<T>);
    return {reinterpret_cast<T*>(const_cast<std::byte*>(data_)), static_cast<size_t>(count_)};
  }

  /// The same elements under other dimensions of the same volume.
  Tensor reshaped(Dims dims) const;
  /// Every element as float, whatever the type.
  std::vector<float> to_floats() const;
  /// Every element as int64_t, whatever the type; floats are truncated.
  std::vector<int64_t> to_ints() const;
  /// Elements converted: floats round to nearest even, floats to integers truncate and wrap as C
  /// does in range, anything to bool is "not zero". The same type shares the memory.
  Tensor converted(DataType type) const;
  /// A tensor of its own with the same elements.
  Tensor clone() const;

 private:
  DataType type_ = DataType::Float32;
  Dims dims_;
  int64_t count_ = 1;
  const std::byte* data_ = nullptr;
  std::shared_ptr<const void> owner_;
};

/// Calls @p body with a value-less tag of the C++ type that @p type stands for:
/// dispatch(type, [&]<class T>() { ... tensor.as<T>() ... });
template <class Body>
decltype(auto) dispatch(DataType type, Body&& body) {
  switch (type) {
    case DataType::Float32:
      return body.template operator()<float>();
    case DataType::Float16:
      return body.template operator()<Half>();
    case DataType::BFloat16:
      return body.template operator()<BFloat16>();
    case DataType::Int8:
      return body.template operator()<int8_t>();
    case DataType::UInt8:
      return body.template operator()<uint8_t>();
    case DataType::Int32:
      return body.template operator()<int32_t>();
    case DataType::Int64:
      return body.template operator()<int64_t>();
    case DataType::Bool:
      return body.template operator()<bool>();
  }
  __builtin_unreachable();
}

}  // namespace dlaexec::ir
