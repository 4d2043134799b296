// Networks of QLinear operators computed in integers, product by product, as processors do it.
#pragma once

#include "conformance/executor.h"

namespace dlaexec::test {

/// How two neighbouring products of a sum are added.
///   Exact      in 32 bits, as x86 with VNNI and every other processor does
///   Saturated  in 16 bits that saturate: x86's vpmaddubsw, which ONNX Runtime sums u8 x i8 with
///              where there is no VNNI. Pairs are made in the order kernel row, kernel column,
///              channel; depthwise convolutions are summed exactly there, too.
enum class PairSums { Exact, Saturated };

/// The outputs of @p graph as imported, its convolutions and products of u8 by i8 computed that
/// way.
Tensors run_in_integers(const ir::Graph& graph, const Tensors& inputs, PairSums sums);

}  // namespace dlaexec::test
