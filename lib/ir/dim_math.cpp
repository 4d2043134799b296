#include "ir/dim_math.h"

#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "base/hash.h"

namespace dlaexec::ir {
namespace {

/// Longer expressions are named by their hash: a symbol is to be read, not to grow.
constexpr size_t kLongestName = 48;

std::string operand(const Dim& dim) {
  if (dim.is_known()) return dim.value < 0 ? format("({})", dim.value) : format("{}", dim.value);
  const bool simple = dim.symbol.find_first_of("+-*/") == std::string::npos;
  return simple ? dim.symbol : "(" + dim.symbol + ")";
}

/// A symbol that ends in "+3" or "-3" outside parentheses, taken apart.
struct Offset {
  std::string base;
  int64_t constant = 0;
};

Offset split_offset(const std::string& symbol) {
  const size_t sign = symbol.find_last_not_of("0123456789");
  const bool ends_in_number = sign != std::string::npos && sign + 1 < symbol.size() && sign > 0 &&
                              symbol.size() - sign < 18 &&
                              (symbol[sign] == '+' || symbol[sign] == '-');
  if (!ends_in_number) return {symbol, 0};
  const int64_t number = std::stoll(symbol.substr(sign + 1));
  return {symbol.substr(0, sign), symbol[sign] == '-' ? -number : number};
}

Dim named(std::string expression) {
  if (expression.size() <= kLongestName) return Dim(std::move(expression));
  return Dim("d" + hash128_hex(expression).substr(0, 12));
}

[[noreturn]] void fail_overflow() {
  fail("a size computed from the shapes does not fit 63 bits; the shapes are wrong");
}

int64_t floor_divide(int64_t a, int64_t b) {
  return a / b - ((a % b != 0 && (a < 0) != (b < 0)) ? 1 : 0);
}

}  // namespace

Dim sum(const Dim& a, const Dim& b) {
  if (a.is_known() && b.is_known()) {
    int64_t value = 0;
    if (__builtin_add_overflow(a.value, b.value, &value)) fail_overflow();
    return value;
  }
  if (a.is_known()) return sum(b, a);
  if (!b.is_known()) return named(format("{}+{}", a.symbol, b.symbol));
  const Offset offset = split_offset(a.symbol);
  const Dim constant = sum(offset.constant, b);
  if (constant.value == 0) return Dim(offset.base);
  if (constant.value == INT64_MIN) fail_overflow();
  return named(
      format("{}{}{}", offset.base, constant.value < 0 ? "-" : "+", std::abs(constant.value)));
}

Dim difference(const Dim& a, const Dim& b) {
  if (b.is_known() && b.value > INT64_MIN) return sum(a, -b.value);
  if (a == b) return 0;
  return named(format("{}-{}", a.is_known() ? operand(a) : a.symbol, operand(b)));
}

Dim product(const Dim& a, const Dim& b) {
  if (a.is_known() && b.is_known()) {
    int64_t value = 0;
    if (__builtin_mul_overflow(a.value, b.value, &value)) fail_overflow();
    return value;
  }
  if (a.is_known()) return product(b, a);
  if (b.is_known() && b.value == 0) return 0;
  if (b.is_known() && b.value == 1) return a;
  return named(format("{}*{}", operand(a), operand(b)));
}

Dim floor_quotient(const Dim& a, const Dim& b) {
  if (a.is_known() && b.is_known()) {
    if (b.value == 0) fail("a size computed from the shapes divides by 0");
    return floor_divide(a.value, b.value);
  }
  if (b.is_known() && b.value == 1) return a;
  if (a == b) return 1;
  return named(format("{}/{}", operand(a), operand(b)));
}

Dim ceil_quotient(const Dim& a, const Dim& b) {
  return floor_quotient(sum(a, difference(b, 1)), b);
}

Dim smaller(const Dim& a, const Dim& b) {
  if (a == b) return a;
  if (a.is_known() && b.is_known()) return std::min(a.value, b.value);
  return named(format("min({},{})", operand(a), operand(b)));
}

Dim larger(const Dim& a, const Dim& b) {
  if (a == b) return a;
  if (a.is_known() && b.is_known()) return std::max(a.value, b.value);
  return named(format("max({},{})", operand(a), operand(b)));
}

Dim element_count(const Shape& shape) {
  Dim result = 1;
  for (const Dim& dim : shape) result = product(result, dim);
  return result;
}

Dim remaining(const Shape& whole, const Shape& part) {
  Dim known_whole = 1;
  Dim known_part = 1;
  Shape symbols_whole;
  Shape symbols_part;
  for (const Dim& dim : whole)
    if (dim.is_known())
      known_whole = product(known_whole, dim);
    else
      symbols_whole.push_back(dim);
  for (const Dim& dim : part) {
    if (dim.is_known()) {
      known_part = product(known_part, dim);
      continue;
    }
    const auto same = std::find(symbols_whole.begin(), symbols_whole.end(), dim);
    if (same != symbols_whole.end())
      symbols_whole.erase(same);
    else
      symbols_part.push_back(dim);
  }
  if (symbols_part.empty() && known_part.value != 0 && known_whole.value % known_part.value == 0)
    return product(element_count(symbols_whole), known_whole.value / known_part.value);
  return floor_quotient(product(element_count(symbols_whole), known_whole),
                        product(element_count(symbols_part), known_part));
}

Shape broadcast(const Shape& a, const Shape& b) {
  const size_t rank = std::max(a.size(), b.size());
  Shape result(rank);
  for (size_t i = 0; i < rank; ++i) {
    const Dim left = i + a.size() < rank ? Dim(1) : a[i + a.size() - rank];
    const Dim right = i + b.size() < rank ? Dim(1) : b[i + b.size() - rank];
    if (left == right || right == Dim(1)) {
      result[i] = left;
    } else if (left == Dim(1)) {
      result[i] = right;
    } else if (left.is_known() && right.is_known()) {
      fail("shapes {} and {} do not broadcast: each dimension must be equal or 1", to_text(a),
           to_text(b));
    } else if (left.is_known() || right.is_known()) {
      result[i] = left.is_known() ? left : right;
    } else {
      result[i] = larger(left, right);
    }
  }
  return result;
}

Shape unranked() { return {Dim("...")}; }

bool is_ranked(const Shape& shape) { return shape.size() != 1 || shape[0].symbol != "..."; }

}  // namespace dlaexec::ir
