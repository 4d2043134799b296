#include "ir/tensor.h"

#include <cstring>
#include <new>

namespace dlaexec::ir {
namespace {

constexpr std::align_val_t kAlignment{64};

template <class From, class To>
To convert_element(From from) {
  if constexpr (std::is_same_v<From, To>) {
    return from;
  } else if constexpr (std::is_same_v<From, Half> || std::is_same_v<From, BFloat16>) {
    return convert_element<float, To>(static_cast<float>(from));
  } else if constexpr (std::is_same_v<To, Half> || std::is_same_v<To, BFloat16>) {
    return To(static_cast<float>(from));
  } else if constexpr (std::is_same_v<To, bool>) {
    return from != From{};
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    // Out of range is undefined in C++: go through the widest integer, clamped, then wrap.
    const double wide = static_cast<double>(from);
    if (!(wide > -9.2233720368547758e18)) return static_cast<To>(INT64_MIN);
    if (wide >= 9.2233720368547758e18) return static_cast<To>(INT64_MAX);
    return static_cast<To>(static_cast<int64_t>(wide));
  } else {
    return static_cast<To>(from);
  }
}

template <class To>
std::vector<To> elements_as(const Tensor& tensor) {
  std::vector<To> result(static_cast<size_t>(tensor.count()));
  dispatch(tensor.type(), [&]<class From>() {
    const auto from = tensor.as<From>();
    for (size_t i = 0; i < from.size(); ++i) result[i] = convert_element<From, To>(from[i]);
  });
  return result;
}

}  // namespace

Tensor::Tensor(DataType type, Dims dims)
    : type_(type), dims_(std::move(dims)), count_(volume(dims_)) {
  void* memory = ::operator new(std::max<size_t>(1, size_bytes()), kAlignment);
  data_ = static_cast<std::byte*>(memory);
  owner_ = std::shared_ptr<const void>(
      memory, [](const void* owned) { ::operator delete(const_cast<void*>(owned), kAlignment); });
}

Tensor::Tensor(DataType type, Dims dims, std::span<const std::byte> bytes,
               std::shared_ptr<const void> owner)
    : type_(type),
      dims_(std::move(dims)),
      count_(volume(dims_)),
      data_(bytes.data()),
      owner_(std::move(owner)) {
  DLAEXEC_CHECK(bytes.size() >= size_bytes());
}

Tensor Tensor::zeros(DataType type, Dims dims) {
  Tensor tensor(type, std::move(dims));
  std::memset(tensor.mutable_bytes().data(), 0, tensor.size_bytes());
  return tensor;
}

Tensor Tensor::reshaped(Dims dims) const {
  DLAEXEC_CHECK(volume(dims) == count_);
  Tensor result = *this;
  result.dims_ = std::move(dims);
  return result;
}

std::vector<float> Tensor::to_floats() const { return elements_as<float>(*this); }

std::vector<int64_t> Tensor::to_ints() const { return elements_as<int64_t>(*this); }

Tensor Tensor::converted(DataType type) const {
  if (type == type_) return *this;
  Tensor result(type, dims_);
  dispatch(type_, [&]<class From>() {
    dispatch(type, [&]<class To>() {
      const auto from = as<From>();
      const auto to = result.mutable_as<To>();
      for (size_t i = 0; i < from.size(); ++i) to[i] = convert_element<From, To>(from[i]);
    });
  });
  return result;
}

Tensor Tensor::clone() const {
  Tensor result(type_, dims_);
  if (count_ > 0) std::memcpy(result.mutable_bytes().data(), data_, size_bytes());
  return result;
}

}  // namespace dlaexec::ir
