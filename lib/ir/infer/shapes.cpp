// Which rule belongs to which op.
#include <algorithm>

#include "ir/infer/site.h"

namespace dlaexec::ir {

Shapes result_shapes(const Site& site) {
  switch (site.node().op) {
    case Op::Conv:
      return conv_shapes(site);
    case Op::Deconv:
      return deconv_shapes(site);
    case Op::Gemm:
      return gemm_shapes(site);
    case Op::MatMul:
      return matmul_shapes(site);
    case Op::Einsum:
      return einsum_shapes(site);
    case Op::Det:
      return det_shapes(site);
    case Op::Activation:
    case Op::Unary:
    case Op::CumSum:
    case Op::Cast:
    case Op::Identity:
    case Op::Reformat:
    case Op::Softmax:
    case Op::Lrn:
    case Op::Trilu:
    case Op::Quantize:
    case Op::Dequantize:
      return {site.shape(0)};
    case Op::BatchNorm:
    case Op::InstanceNorm:
    case Op::GroupNorm:
    case Op::LayerNorm:
    case Op::RmsNorm:
    case Op::LpNorm:
      return norm_shapes(site);
    case Op::PRelu:
    case Op::Elementwise:
    case Op::Where:
      return elementwise_shapes(site);
    case Op::Scale:
      return scale_shapes(site);
    case Op::Pool:
      return pool_shapes(site);
    case Op::Reduce:
      return reduce_shapes(site);
    case Op::ArgReduce:
      return arg_reduce_shapes(site);
    case Op::TopK:
      return top_k_shapes(site);
    case Op::Concat:
      return concat_shapes(site);
    case Op::Split:
      return split_shapes(site);
    case Op::Slice:
      return slice_shapes(site);
    case Op::Reshape:
      return reshape_shapes(site);
    case Op::Flatten:
      return flatten_shapes(site);
    case Op::Squeeze:
      return squeeze_shapes(site);
    case Op::Unsqueeze:
      return unsqueeze_shapes(site);
    case Op::Transpose:
      return transpose_shapes(site);
    case Op::Pad:
      return pad_shapes(site);
    case Op::Resize:
      return resize_shapes(site);
    case Op::Expand:
      return expand_shapes(site);
    case Op::Tile:
      return tile_shapes(site);
    case Op::DepthToSpace:
    case Op::SpaceToDepth:
      return depth_shapes(site);
    case Op::Gather:
    case Op::GatherElements:
      return gather_shapes(site);
    case Op::GatherNd:
      return gather_nd_shapes(site);
    case Op::ScatterElements:
    case Op::ScatterNd:
      return scatter_shapes(site);
    case Op::OneHot:
      return one_hot_shapes(site);
    case Op::Shape: {
      const auto& range = site.node().get<ShapeAttributes>();
      const int64_t rank = site.rank(0);
      const auto clamp = [&](int64_t at) {
        return std::clamp<int64_t>(at < 0 ? at + rank : at, 0, rank);
      };
      return {{std::max<int64_t>(0, clamp(range.end) - clamp(range.start))}};
    }
    case Op::Size:
      return {{}};
    case Op::ConstantOfShape:
      return constant_of_shape_shapes(site);
    case Op::Range:
      return range_shapes(site);
    case Op::NonZero:
      return {{site.rank(0), site.data_dependent(0, 1)}};
    case Op::Unique:
      return unique_shapes(site);
    case Op::NonMaxSuppression:
      return {{site.data_dependent(0, 0), 3}};
    case Op::RoiAlign:
    case Op::GridSample:
      return sampling_shapes(site);
    case Op::Lstm:
    case Op::Gru:
    case Op::Rnn:
      return recurrent_shapes(site);
    case Op::If:
    case Op::Loop:
    case Op::Scan:
    case Op::ForeignNode:
      break;  // not by a rule: bodies and loadables know theirs
  }
  DLAEXEC_CHECK(false);
  return {};
}

}  // namespace dlaexec::ir
