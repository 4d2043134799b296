// What conv, deconv, gemm and matmul have in common: a bias, a residual input and an activation
// that fusion may add.
#pragma once

#include "ir/graph.h"

namespace dlaexec::passes {

/// Calls @p body with the attributes of a node that has a whole epilogue; false for other ops.
template <class Node, class Body>
bool with_epilogue(Node& node, Body&& body) {
  switch (node.op) {
    case ir::Op::Conv:
      body(node.template get<ir::ConvAttributes>());
      return true;
    case ir::Op::Deconv:
      body(node.template get<ir::DeconvAttributes>());
      return true;
    case ir::Op::Gemm:
      body(node.template get<ir::GemmAttributes>());
      return true;
    case ir::Op::MatMul:
      body(node.template get<ir::MatMulAttributes>());
      return true;
    default:
      return false;
  }
}

/// True for a node with an epilogue that has neither residual nor activation yet.
inline bool has_open_epilogue(const ir::Node& node) {
  bool open = false;
  with_epilogue(node, [&](const auto& attributes) {
    open = !attributes.residual && attributes.activation == ir::ActivationKind::None;
  });
  return open;
}

/// True if both run on the same device, in the same segment and in the same precision.
inline bool run_together(const ir::Node& a, const ir::Node& b) {
  return a.device == b.device && a.segment == b.segment && a.precision == b.precision;
}

}  // namespace dlaexec::passes
