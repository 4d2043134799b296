// What the kinds of attention and rotary embedding share.
#pragma once

#include <limits>

#include "onnx/operators.h"

namespace dlaexec::onnx {

/// What is added to the score of a key that a query does not see.
inline constexpr double kHidden = -std::numeric_limits<double>::infinity();

/// Throws an Error that calls the dimension @p what unless it is known.
int64_t known_dim(Node& node, ValueId x, int64_t axis, std::string_view what);

/// A dimension as a scalar of the graph.
ValueId one_dim(Node& node, ValueId x, int64_t axis);

/// 0, 1, ... below @p limit.
ValueId count_up(Node& node, ValueId limit);

/// [batch, length, heads * size] as [batch, heads, length, size]; four dimensions are that already.
ValueId with_heads(Node& node, ValueId x, int64_t heads);

/// [batch, heads, length, size] as [batch, length, heads * size].
ValueId without_heads(Node& node, ValueId x);

/// Each head of keys or values repeated for the queries that share it.
ValueId repeated(Node& node, ValueId x, int64_t query_heads);

/// Zero where @p allowed, @p hidden elsewhere, in the type of @p like.
ValueId as_bias(Node& node, ValueId allowed, ValueId like, double hidden);

/// The places of queries in the sequence, as a column: they come after the past ones.
ValueId query_places(Node& node, ValueId q, ValueId past);

/// A query sees the keys up to its own place.
ValueId causal_bias(Node& node, ValueId places, ValueId k, ValueId like);

/// Queries, keys and values, each [batch, heads, length, size].
struct Operands {
  ValueId q, k, v;
};

/// com.microsoft: softmax(q k^T * scale + biases) v without heads, scale and softcap being
/// attributes. Absent biases are left out.
ValueId attended(Node& node, const Operands& operands, const ValueIds& biases);

/// How the elements of a head are turned in pairs.
struct Rotation {
  int64_t size = 0;          ///< how many elements are turned; 0: all
  bool interleaved = false;  ///< pairs lie side by side; else half of the elements apart
};

/// Turns the last of four dimensions by tables that broadcast to the others.
ValueId rotated(Node& node, ValueId x, ValueId cosines, ValueId sines, const Rotation& rotation);

}  // namespace dlaexec::onnx
