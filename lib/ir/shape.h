// Shapes: each dimension is a constant or a symbol.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace dlaexec::ir {

/// A shape in which every dimension is known.
using Dims = std::vector<int64_t>;

/// The number of elements; 1 for rank 0. Throws an Error when it does not fit 63 bits.
int64_t volume(const Dims& dims);

/// Elements between neighbours along each dimension, row-major and dense.
std::vector<int64_t> dense_strides(const Dims& dims);

/// One dimension: a constant, or a symbol whose value is known only at run time. Equal symbols mean
/// equal values.
struct Dim {
  int64_t value = 0;   ///< meaningful when the symbol is empty
  std::string symbol;  ///< "N", or a name made up for a dimension that depends on others or on data

  Dim() = default;
  Dim(int64_t constant) : value(constant) {}  // NOLINT: a number is a dimension
  explicit Dim(std::string name) : symbol(std::move(name)) {}
  bool is_known() const { return symbol.empty(); }
  friend bool operator==(const Dim&, const Dim&) = default;
};

using Shape = std::vector<Dim>;

bool is_static(const Shape& shape);

/// The dimensions of a static shape; a bug otherwise.
Dims dims_of(const Shape& shape);

Shape shape_of(const Dims& dims);

/// "1x3x224x224", with symbols by name; "scalar" for rank 0.
std::string to_text(const Dims& dims);
std::string to_text(const Shape& shape);

}  // namespace dlaexec::ir
