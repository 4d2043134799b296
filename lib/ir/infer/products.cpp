// Shapes of convolutions, pools, matrix products, norms and recurrences.
#include <algorithm>
#include <map>

#include "ir/einsum.h"
#include "ir/infer/site.h"

namespace dlaexec::ir {
namespace {

/// Spatial lists must have one entry a dimension, pads two; empty ones were filled by whoever made
/// the node.
void require_lists(size_t spatial, const Ints& stride, const Ints& pads, const Ints& dilation) {
  if (stride.size() != spatial || dilation.size() != spatial || pads.size() != 2 * spatial)
    fail(
        "strides, dilations and pads have {}, {} and {} entries; {} spatial dimensions need {}, "
        "{} and {}",
        stride.size(), dilation.size(), pads.size(), spatial, spatial, spatial, 2 * spatial);
  const auto positive = [](int64_t value) { return value > 0; };
  if (!std::all_of(stride.begin(), stride.end(), positive) ||
      !std::all_of(dilation.begin(), dilation.end(), positive))
    fail("strides are {} and dilations {}; each must be 1 or more", join(stride, ","),
         join(dilation, ","));
}

Dim kernel_extent(const Dim& kernel, int64_t dilation) {
  return sum(product(difference(kernel, 1), dilation), 1);
}

void require_window(const Dim& in, const Dim& room) {
  if (room.is_known() && room.value < 0)
    fail("the kernel is larger than its padded input (a dimension of {})",
         in.is_known() ? format("{}", in.value) : in.symbol);
}

void require_channels(const Dim& found, const Dim& wanted, const char* what) {
  if (found.is_known() && wanted.is_known() && found.value != wanted.value)
    fail("{}: the input has {} channels, the weights take {}", what, found.value, wanted.value);
}

void require_bias(const Site& site, size_t input, const Dim& channels) {
  if (!site.has(input)) return;
  const Shape& bias = site.shape(input);
  const bool fits = bias.size() == 1 && (bias[0] == channels || !bias[0].is_known() ||
                                         !channels.is_known() || bias[0] == Dim(1));
  if (!fits)
    fail("the bias '{}' has shape {}; {} channels need as many", site.value(input).name,
         to_text(bias), to_text(Shape{channels}));
}

/// Where in the inputs the bias stands, or none: with a residual the last input is that.
bool has_bias(const Site& site, bool residual) {
  return site.input_count() > (residual ? 3u : 2u) && site.has(2);
}

void require_groups(int64_t groups, const Dim& channels, const Dim& kernels) {
  if (groups < 1) fail("groups is {}; it must be 1 or more", groups);
  const auto divides = [&](const Dim& dim) { return !dim.is_known() || dim.value % groups == 0; };
  if (!divides(channels) || !divides(kernels))
    fail("groups is {}; it must divide the {} input and {} output channels", groups,
         to_text(Shape{channels}), to_text(Shape{kernels}));
}

}  // namespace

Shapes conv_shapes(const Site& site) {
  const auto& conv = site.node().get<ConvAttributes>();
  site.require_rank(0, 3);
  const Shape& x = site.shape(0);
  const Shape& w = site.shape(1);
  if (w.size() != x.size())
    fail("the weights have shape {}; an input of shape {} needs {} dimensions", to_text(w),
         to_text(x), x.size());
  require_lists(x.size() - 2, conv.stride, conv.pads, conv.dilation);
  require_groups(conv.groups, x[1], w[0]);
  require_channels(x[1], product(w[1], conv.groups), "convolution");
  if (has_bias(site, conv.residual)) require_bias(site, 2, w[0]);
  Shape y = {x[0], w[0]};
  for (size_t i = 0; i + 2 < x.size(); ++i) {
    const Dim padded = sum(x[i + 2], sum(conv.pads[i], conv.pads[i + x.size() - 2]));
    const Dim room = difference(padded, kernel_extent(w[i + 2], conv.dilation[i]));
    require_window(x[i + 2], room);
    y.push_back(sum(floor_quotient(room, conv.stride[i]), 1));
  }
  return {y};
}

Shapes deconv_shapes(const Site& site) {
  const auto& deconv = site.node().get<DeconvAttributes>();
  site.require_rank(0, 3);
  const Shape& x = site.shape(0);
  const Shape& w = site.shape(1);
  if (w.size() != x.size())
    fail("the weights have shape {}; an input of shape {} needs {} dimensions", to_text(w),
         to_text(x), x.size());
  require_lists(x.size() - 2, deconv.stride, deconv.pads, deconv.dilation);
  require_groups(deconv.groups, x[1], product(w[1], deconv.groups));
  require_channels(x[1], w[0], "deconvolution");
  if (deconv.output_padding.size() != x.size() - 2)
    fail("output_padding has {} entries; {} are needed", deconv.output_padding.size(),
         x.size() - 2);
  const Dim channels = product(w[1], deconv.groups);
  if (has_bias(site, deconv.residual)) require_bias(site, 2, channels);
  Shape y = {x[0], channels};
  for (size_t i = 0; i + 2 < x.size(); ++i) {
    const Dim grown =
        sum(product(difference(x[i + 2], 1), deconv.stride[i]),
            sum(kernel_extent(w[i + 2], deconv.dilation[i]), deconv.output_padding[i]));
    const Dim size = difference(grown, sum(deconv.pads[i], deconv.pads[i + x.size() - 2]));
    if (size.is_known() && size.value < 0) fail("pads take more than the whole output");
    y.push_back(size);
  }
  return {y};
}

Shapes pool_shapes(const Site& site) {
  const auto& pool = site.node().get<PoolAttributes>();
  site.require_rank(0, 3);
  const Shape& x = site.shape(0);
  require_lists(x.size() - 2, pool.stride, pool.pads, pool.dilation);
  if (pool.kernel.size() != x.size() - 2)
    fail("the window has {} dimensions; an input of shape {} needs {}", pool.kernel.size(),
         to_text(x), x.size() - 2);
  Shape y = {x[0], x[1]};
  for (size_t i = 0; i + 2 < x.size(); ++i) {
    if (pool.kernel[i] < 1) fail("the window is {}; it must be 1 or more", pool.kernel[i]);
    const Dim padded = sum(x[i + 2], sum(pool.pads[i], pool.pads[i + x.size() - 2]));
    const Dim room = difference(padded, kernel_extent(pool.kernel[i], pool.dilation[i]));
    require_window(x[i + 2], room);
    Dim size = pool.ceil_mode ? sum(ceil_quotient(room, pool.stride[i]), 1)
                              : sum(floor_quotient(room, pool.stride[i]), 1);
    // A last window that would start in the end padding is dropped.
    if (pool.ceil_mode && size.is_known() && x[i + 2].is_known() &&
        (size.value - 1) * pool.stride[i] >= x[i + 2].value + pool.pads[i])
      size = size.value - 1;
    y.push_back(size);
  }
  return Shapes(site.output_count(), y);
}

Shapes gemm_shapes(const Site& site) {
  const auto& gemm = site.node().get<GemmAttributes>();
  site.require_rank(0, 2, 2);
  site.require_rank(1, 2, 2);
  const Shape& a = site.shape(0);
  const Shape& b = site.shape(1);
  const Dim& inner_a = a[gemm.transpose_a ? 0 : 1];
  const Dim& inner_b = b[gemm.transpose_b ? 1 : 0];
  if (inner_a.is_known() && inner_b.is_known() && inner_a != inner_b)
    fail("a of shape {} and b of shape {} do not multiply: {} is not {}", to_text(a), to_text(b),
         inner_a.value, inner_b.value);
  const Shape y = {a[gemm.transpose_a ? 1 : 0], b[gemm.transpose_b ? 0 : 1]};
  if (site.input_count() > (gemm.residual ? 3u : 2u) && site.has(2))
    if (const Shape wide = broadcast(site.shape(2), y); is_static(y) && wide != y)
      fail("c of shape {} does not broadcast to {}", to_text(site.shape(2)), to_text(y));
  return {y};
}

Shapes matmul_shapes(const Site& site) {
  site.require_rank(0, 1);
  site.require_rank(1, 1);
  Shape a = site.shape(0);
  Shape b = site.shape(1);
  const bool row = a.size() == 1;
  const bool column = b.size() == 1;
  if (row) a.insert(a.begin(), Dim(1));
  if (column) b.push_back(Dim(1));
  const Dim& inner_a = a.back();
  const Dim& inner_b = b[b.size() - 2];
  if (inner_a.is_known() && inner_b.is_known() && inner_a != inner_b)
    fail("shapes {} and {} do not multiply: {} is not {}", to_text(site.shape(0)),
         to_text(site.shape(1)), inner_a.value, inner_b.value);
  Shape y = broadcast(Shape(a.begin(), a.end() - 2), Shape(b.begin(), b.end() - 2));
  if (!row) y.push_back(a[a.size() - 2]);
  if (!column) y.push_back(b.back());
  return {y};
}

Shapes det_shapes(const Site& site) {
  site.require_rank(0, 2);
  Shape y = site.shape(0);
  const Dim columns = y.back(), rows = y[y.size() - 2];
  if (columns.is_known() && rows.is_known() && columns != rows)
    fail("the matrices are {} by {}; a determinant needs square ones", rows.value, columns.value);
  y.resize(y.size() - 2);
  return {y};
}

Shapes norm_shapes(const Site& site) {
  const Op op = site.node().op;
  const Shape& x = site.shape(0);
  if (op == Op::BatchNorm || op == Op::InstanceNorm || op == Op::GroupNorm) {
    site.require_rank(0, op == Op::BatchNorm ? 1 : 2);
    const Dim channels = x.size() > 1 ? x[1] : Dim(1);
    for (size_t i = 1; i < site.input_count(); ++i) {
      const Shape& parameter = site.shape(i);
      const bool fits = parameter.size() == 1 && (!parameter[0].is_known() ||
                                                  !channels.is_known() || parameter[0] == channels);
      if (!fits)
        fail("'{}' has shape {}; {} channels need as many", site.value(i).name, to_text(parameter),
             to_text(Shape{channels}));
    }
  } else {
    Site::axis_in(site.node().get<NormAttributes>().axis, site.rank(0));
    for (size_t i = 1; i < site.input_count(); ++i)
      if (site.has(i) && broadcast(x, site.shape(i)).size() != x.size())
        fail("'{}' has more dimensions than the input", site.value(i).name);
  }
  return {x};
}

Shapes recurrent_shapes(const Site& site) {
  const auto& cell = site.node().get<RecurrentAttributes>();
  site.require_rank(0, 3, 3);
  const Shape& x = site.shape(0);
  const Dim& length = x[cell.batch_first ? 1 : 0];
  const Dim& batch = x[cell.batch_first ? 0 : 1];
  const Dim directions = cell.direction == RecurrentDirection::Bidirectional ? 2 : 1;
  const int64_t gates = site.node().op == Op::Lstm ? 4 : site.node().op == Op::Gru ? 3 : 1;
  const Shape wanted = {directions, gates * cell.hidden_size, x[2]};
  site.require_rank(1, 3, 3);
  for (size_t i = 0; i < 3; ++i) {
    const Dim& found = site.shape(1)[i];
    if (found.is_known() && wanted[i].is_known() && found != wanted[i])
      fail("the weights have shape {}; {} is needed", to_text(site.shape(1)), to_text(wanted));
  }
  const Dim hidden = cell.hidden_size;
  const Shape state =
      cell.batch_first ? Shape{batch, directions, hidden} : Shape{directions, batch, hidden};
  const Shape all = cell.batch_first ? Shape{batch, length, directions, hidden}
                                     : Shape{length, directions, batch, hidden};
  Shapes shapes = {all, state, state};
  shapes.resize(site.output_count());
  return shapes;
}

Shapes sampling_shapes(const Site& site) {
  const Shape& x = site.shape(0);
  if (site.node().op == Op::RoiAlign) {
    const auto& roi = site.node().get<RoiAlignAttributes>();
    site.require_rank(0, 4, 4);
    site.require_rank(1, 2, 2);
    return {{site.shape(1)[0], x[1], roi.output_height, roi.output_width}};
  }
  const Shape& grid = site.shape(1);
  site.require_rank(0, 3);
  site.require_rank(1, site.rank(0), site.rank(0));
  Shape y = {x[0], x[1]};
  y.insert(y.end(), grid.begin() + 1, grid.end() - 1);
  return {y};
}

Shapes einsum_shapes(const Site& site) {
  const EinsumTerms terms = parse_einsum(site.node().get<EinsumAttributes>().equation);
  if (terms.inputs.size() != site.input_count())
    fail("the equation '{}' has {} terms for {} inputs",
         site.node().get<EinsumAttributes>().equation, terms.inputs.size(), site.input_count());
  std::map<char, Dim> sizes;
  Shape shared;  // what the ellipses stand for
  for (size_t i = 0; i < terms.inputs.size(); ++i) {
    const std::string& term = terms.inputs[i];
    const Shape& shape = site.shape(i);
    const size_t dots = term.find('.');
    const size_t letters = term.size() - (dots == std::string::npos ? 0 : 1);
    if (dots == std::string::npos ? letters != shape.size() : letters > shape.size())
      fail("term '{}' does not fit an input of shape {}", term, to_text(shape));
    size_t axis = 0;
    for (const char letter : term) {
      if (letter == '.') {
        const size_t count = shape.size() - letters;
        shared = broadcast(shared, Shape(shape.begin() + static_cast<long>(axis),
                                         shape.begin() + static_cast<long>(axis + count)));
        axis += count;
        continue;
      }
      const auto [at, fresh] = sizes.try_emplace(letter, shape[axis]);
      if (!fresh) at->second = broadcast({at->second}, {shape[axis]})[0];
      ++axis;
    }
  }
  Shape y;
  for (const char letter : terms.output) {
    if (letter == '.')
      y.insert(y.end(), shared.begin(), shared.end());
    else if (sizes.contains(letter))
      y.push_back(sizes[letter]);
    else
      fail("the output letter '{}' of the equation is in no input", letter);
  }
  return {y};
}

}  // namespace dlaexec::ir
