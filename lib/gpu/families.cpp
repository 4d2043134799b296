#include "gpu/families.h"

namespace dlaexec::gpu {
namespace {

using ir::Op;

struct Row {
  Op op;
  Family family;
};

// clang-format off
constexpr Family kPointwise{why_not_map, lower_map, Layout::Any};
constexpr Family kMove{why_not_move, lower_move, Layout::Dense};
constexpr Row kRows[] = {
    {Op::Conv, {why_not_conv, lower_conv, Layout::Pixels}},
    {Op::Deconv, {why_not_deconv, lower_deconv, Layout::Pixels}},
    {Op::Pool, {why_not_pool, lower_pool, Layout::Pixels}},
    {Op::Gemm, {why_not_product, lower_product, Layout::Dense}},
    {Op::MatMul, {why_not_product, lower_product, Layout::Dense}},
    {Op::Activation, kPointwise},
    {Op::Unary, kPointwise},
    {Op::Elementwise, kPointwise},
    {Op::PRelu, kPointwise},
    {Op::Scale, kPointwise},
    {Op::Where, kPointwise},
    {Op::Reformat, kPointwise},
    {Op::Cast, kPointwise},
    {Op::Identity, kPointwise},
    {Op::Quantize, kPointwise},
    {Op::Dequantize, kPointwise},
    {Op::Concat, {why_not_move, lower_move, Layout::Any}},
    {Op::Split, {why_not_move, lower_move, Layout::Any}},
    {Op::Slice, kMove},
    {Op::Gather, kMove},
    {Op::Reshape, kMove},
    {Op::Flatten, kMove},
    {Op::Squeeze, kMove},
    {Op::Unsqueeze, kMove},
    {Op::Transpose, kMove},
    {Op::Expand, kMove},
    {Op::DepthToSpace, kMove},
    {Op::SpaceToDepth, kMove},
    {Op::GatherElements, {why_not_index, lower_index, Layout::Dense}},
    {Op::GatherNd, {why_not_index, lower_index, Layout::Dense}},
    {Op::ScatterElements, {why_not_index, lower_index, Layout::Dense}},
    {Op::ScatterNd, {why_not_index, lower_index, Layout::Dense}},
    {Op::OneHot, {why_not_index, lower_index, Layout::Dense}},
    {Op::Trilu, {why_not_index, lower_index, Layout::Dense}},
    {Op::Pad, {why_not_pad, lower_pad, Layout::Any}},
    {Op::Tile, {why_not_pad, lower_pad, Layout::Any}},
    {Op::Resize, {why_not_resize, lower_resize, Layout::Any}},
    {Op::GridSample, {why_not_sample, lower_sample, Layout::Dense}},
    {Op::RoiAlign, {why_not_sample, lower_sample, Layout::Dense}},
    {Op::TopK, {why_not_select, lower_select, Layout::Dense}},
    {Op::ArgReduce, {why_not_select, lower_select, Layout::Dense}},
    {Op::CumSum, {why_not_select, lower_select, Layout::Dense}},
    {Op::NonMaxSuppression, {why_not_nms, lower_nms, Layout::Dense, most_of_nms}},
    {Op::NonZero, {why_not_nonzero, lower_nonzero, Layout::Dense, most_of_nonzero}},
    {Op::InstanceNorm, {why_not_channels, lower_channels, Layout::Dense}},
    {Op::GroupNorm, {why_not_channels, lower_channels, Layout::Dense}},
    {Op::LpNorm, {why_not_channels, lower_channels, Layout::Dense}},
    {Op::Lrn, {why_not_channels, lower_channels, Layout::Dense}},
    {Op::Reduce, {why_not_rows, lower_rows, Layout::Any}},
    {Op::Softmax, {why_not_rows, lower_rows, Layout::Any}},
    {Op::LayerNorm, {why_not_rows, lower_rows, Layout::Dense}},
    {Op::RmsNorm, {why_not_rows, lower_rows, Layout::Dense}},
};
// clang-format on

}  // namespace

Family family_of(Op op) {
  for (const Row& row : kRows)
    if (row.op == op) return row.family;
  return {};
}

bool is_pointwise(Op op) { return family_of(op).lower == lower_map; }

}  // namespace dlaexec::gpu
