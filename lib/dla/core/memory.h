// The memory that a running loadable sees, and cubes in it.
#pragma once

#include <cstddef>
#include <cstring>
#include <span>

#include "dla/loadable.h"

namespace dlaexec::dla::core {

/// Where in a tensor.
struct Position {
  int64_t n = 0, c = 0, h = 0, w = 0;
};

/// A cube with its bytes.
struct CubeView {
  const Cube* cube = nullptr;
  std::byte* data = nullptr;

  const Nchw& dims() const { return cube->dims; }
  const Layout& layout() const { return cube->layout; }
  bool is_int8() const { return cube->type == ir::DataType::Int8; }
  std::byte* at(const Position& at) const {
    return data + cube->layout.offset(at.n, at.c, at.h, at.w);
  }
  template <class T>
  T load(const Position& position) const {
    T value;
    std::memcpy(&value, at(position), sizeof value);
    return value;
  }
  template <class T>
  void store(const Position& position, T value) const {
    std::memcpy(at(position), &value, sizeof value);
  }
};

/// Buffers of one run. The spans must outlive it.
struct Memory {
  const Loadable* loadable = nullptr;
  std::span<const std::span<const std::byte>> inputs;
  std::span<const std::span<std::byte>> outputs;
  std::byte* local = nullptr;
  std::byte* sram = nullptr;

  CubeView view(CubeId id) const {
    const Cube& cube = loadable->cube(id);
    return {&cube, base(cube.place) + cube.place.offset};
  }
  template <class T>
  const T* constants(const BlobSpan& span) const {
    return reinterpret_cast<const T*>(loadable->blob(span).data());
  }

 private:
  std::byte* base(const Place& place) const {
    const auto binding = static_cast<size_t>(place.binding);
    switch (place.region) {
      case Region::Input:  // only read: nothing writes a cube that is an input
        return const_cast<std::byte*>(inputs[binding].data());
      case Region::Output:
        return outputs[binding].data();
      case Region::Local:
        return local;
      case Region::Sram:
        return sram;
    }
    __builtin_unreachable();
  }
};

}  // namespace dlaexec::dla::core
