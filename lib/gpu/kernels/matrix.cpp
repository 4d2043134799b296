// Gemm and MatMul as products of rows.
#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "gpu/families.h"
#include "gpu/groups.h"
#include "gpu/product.h"

namespace dlaexec::gpu {
namespace {

using ir::DataType;
using ir::Op;

/// y[batch][m][n] = act(a[batch][m][k] * b[batch][k][n] + bias + residual), as views: transposed
/// operands are views with turned strides.
struct Matrix {
  int64_t batch = 1, m = 1, n = 1, k = 1;
  bool transpose_a = false, transpose_b = false;
  bool residual = false;
  ir::ActivationKind activation = ir::ActivationKind::None;
  float alpha = 0, beta = 0;
  ir::ValueId bias = ir::kNoValue, residual_value = ir::kNoValue;
};

template <class Attributes>
void add_epilogue(const ir::Node& node, const Attributes& a, Matrix& matrix) {
  matrix.residual = a.residual;
  matrix.activation = a.activation;
  matrix.alpha = a.alpha;
  matrix.beta = a.beta;
  const size_t last = node.inputs.size() - 1;
  if (a.residual) matrix.residual_value = node.inputs[last];
  if (last >= 2 && !(a.residual && last == 2)) matrix.bias = node.inputs[2];
}

Matrix matrix_of(const ir::Graph& graph, const ir::Node& node) {
  Matrix matrix;
  const ir::Dims a = ir::dims_of(graph.value(node.inputs[0]).shape),
                 b = ir::dims_of(graph.value(node.inputs[1]).shape);
  if (node.op == Op::Gemm) {
    const auto& attributes = node.get<ir::GemmAttributes>();
    matrix.transpose_a = attributes.transpose_a;
    matrix.transpose_b = attributes.transpose_b;
    add_epilogue(node, attributes, matrix);
  } else {
    add_epilogue(node, node.get<ir::MatMulAttributes>(), matrix);
  }
  const size_t ra = a.size(), rb = b.size();
  matrix.m = a[ra - (matrix.transpose_a ? 1 : 2)];
  matrix.k = a[ra - (matrix.transpose_a ? 2 : 1)];
  matrix.n = b[rb - (matrix.transpose_b ? 2 : 1)];
  const int64_t leading = ir::volume(ir::Dims(a.begin(), a.end() - 2));
  if (rb == 2)
    matrix.m *= leading;  // one b for all: the batch is only more rows
  else
    matrix.batch = leading;
  return matrix;
}

/// @p view as [batch][rows][columns], from its last two axes, turned when @p turned.
View as_batches(View view, int64_t batch, int64_t rows, int64_t columns, bool turned) {
  view.dims = {batch, rows, columns};
  view.strides = turned ? std::vector<int64_t>{rows * columns, 1, rows}
                        : std::vector<int64_t>{rows * columns, columns, 1};
  view.arrangement = Arrangement::Dense;
  return view;
}

/// The same elements with rows that start on 16 bytes and lie along the last axis; copied if they
/// do not already.
View with_whole_rows(Lowering& lowering, const ir::Node& node, std::string_view suffix,
                     const View& view) {
  const int64_t vec = vector_elements(view.type);
  if (view.strides[2] == 1 && view.strides[1] % vec == 0) return view;
  const int64_t row = round_up(view.dims[2], vec);
  View to = view;
  to.strides = {view.dims[1] * row, row, 1};
  to.place = lowering.scratch(view.dims[0] * view.dims[1] * row *
                              static_cast<int64_t>(ir::size_bytes(view.type)));
  if (row == view.dims[2]) {
    lowering.copy(node, suffix, view, to);
    return to;
  }
  // What pads a row takes part in the sum and must be zero on both sides. A matrix seen as pixels
  // with its columns for channels gets just that.
  View from = view, wide = to;
  from.dims = wide.dims = {view.dims[0], view.dims[2], 1, view.dims[1]};
  from.strides = {view.strides[0], view.strides[2], 0, view.strides[1]};
  wide.strides = {to.strides[0], 1, to.strides[0], row};
  wide.arrangement = Arrangement::Pixels;
  lowering.copy(node, suffix, from, wide);
  return to;
}

/// Constant b as [n padded][k padded], rows of whole 128 bytes.
std::vector<std::byte> pack_b(const ir::Tensor& b, const Matrix& matrix, int64_t rows,
                              int64_t row) {
  const size_t size = ir::size_bytes(b.type());
  std::vector<std::byte> packed(static_cast<size_t>(rows * row) * size);
  const std::byte* from = b.bytes().data();
  for (int64_t n = 0; n < matrix.n; ++n)
    for (int64_t k = 0; k < matrix.k; ++k) {
      const int64_t at = matrix.transpose_b ? n * matrix.k + k : k * matrix.n + n;
      std::memcpy(packed.data() + static_cast<size_t>(n * row + k) * size,
                  from + static_cast<size_t>(at) * size, size);
    }
  return packed;
}

std::vector<float> bias_of(const ir::Graph& graph, const ir::Node& node, const Matrix& matrix) {
  std::vector<float> bias;
  if (matrix.bias != ir::kNoValue) bias = graph.value(matrix.bias).constant->to_floats();
  if (bias.size() == 1) bias.assign(static_cast<size_t>(matrix.n), bias[0]);
  if (node.op == Op::Gemm)
    for (float& value : bias) value *= node.get<ir::GemmAttributes>().scale_c;
  bias.resize(static_cast<size_t>(round_up(matrix.n, 16)));
  return bias;
}

std::vector<float> multipliers(const ir::Graph& graph, const ir::Node& node, const Matrix& matrix) {
  const float a = graph.value(node.inputs[0]).quantization.scales[0];
  const std::vector<float>& b = graph.value(node.inputs[1]).quantization.scales;
  std::vector<float> result(static_cast<size_t>(round_up(matrix.n, 16)));
  for (size_t n = 0; n < static_cast<size_t>(matrix.n); ++n)
    result[n] = a * b[b.size() == 1 ? 0 : n];
  return result;
}

}  // namespace

std::optional<std::string> why_not_product(const ir::Graph& graph, const ir::Node& node,
                                           const Target& target) {
  const ir::Value &a = graph.value(node.inputs[0]), &b = graph.value(node.inputs[1]),
                  &y = graph.value(node.outputs[0]);
  for (const ir::Value* value : {&a, &b, &y})
    if (!is_device_type(value->type)) return format("elements of type {}", ir::text(value->type));
  if (a.type != b.type) return format("{} times {}", ir::text(a.type), ir::text(b.type));
  if (a.type == DataType::Float32 && !target.is_ampere())
    return std::string("a Float32 product before sm_80");
  if (a.shape.size() < 2 || b.shape.size() < 2) return std::string("a product with a vector");
  if (b.shape.size() > 2 && ir::Dims(ir::dims_of(a.shape)).size() != b.shape.size())
    return std::string("a product whose batch dimensions broadcast");
  if (b.shape.size() > 2)
    for (size_t i = 0; i + 2 < b.shape.size(); ++i)
      if (a.shape[i] != b.shape[i])
        return std::string("a product whose batch dimensions broadcast");
  const Matrix matrix = matrix_of(graph, node);
  if (matrix.batch > 65535) return format("a batch of {} products", matrix.batch);
  if (node.op == Op::Gemm && node.get<ir::GemmAttributes>().scale_ab != 1)
    return std::string("a product scaled by a factor other than 1");
  if (matrix.bias != ir::kNoValue) {
    const ir::Value& bias = graph.value(matrix.bias);
    if (!bias.constant) return std::string("a bias that is no constant");
    const int64_t count = bias.constant->count();
    if (count != 1 && (count != matrix.n || bias.constant->dims().back() != matrix.n))
      return std::string("a bias that differs from row to row");
  }
  if (matrix.residual && graph.value(matrix.residual_value).shape != y.shape)
    return std::string("a residual that broadcasts");
  if (a.type == DataType::Int8) {
    if (!a.quantization.is_known() || !b.quantization.is_known())
      return std::string("int8 without scales");
    const int64_t axis = matrix.transpose_b ? 0 : 1;
    if (b.quantization.scales.size() > 1 && (b.shape.size() != 2 || b.quantization.axis != axis))
      return std::string("scales along the sum");
  }
  return std::nullopt;
}

namespace {

/// The parts of a product that do not depend on where its right side comes from: @p n columns.
Product product_of(Lowering& lowering, const ir::Node& node, const Matrix& matrix, int64_t n,
                   const View& y) {
  const View a = with_whole_rows(lowering, node, "rows",
                                 as_batches(lowering.dense(node.inputs[0]), matrix.batch, matrix.m,
                                            matrix.k, matrix.transpose_a));
  const int64_t size = static_cast<int64_t>(ir::size_bytes(a.type));
  Product product;
  ConvParams& p = product.p;
  p.pixels = static_cast<int>(matrix.m);
  p.out_h = p.out_w = p.in_h = p.in_w = p.stride_h = p.stride_w = p.dilation_h = p.dilation_w = 1;
  p.taps_h = p.taps_w = 1;
  p.x_pixel_bytes = static_cast<int>(a.strides[1] * size);
  p.channel_bytes = static_cast<int>(round_up(matrix.k * size, 16));
  p.k_padded = static_cast<int>(round_up(n, 16));
  p.whole_vectors = n % vector_elements(y.type) == 0 ? 1 : 0;
  p.k_written = p.y_pixel = static_cast<int>(n);
  p.alpha = matrix.alpha;
  p.beta = matrix.beta;
  p.y_inverse = 1 / y.scale;
  p.x_batch_bytes = a.strides[0] * size;
  p.y_batch = matrix.m * n;
  product.in = a.type;
  product.out = y.type;
  product.activation = matrix.activation;
  product.rows = true;
  product.batch = matrix.batch;
  product.sum_bytes = p.channel_bytes;
  product.x = a.place;
  product.y = y.place;
  product.operations =
      2.0 * static_cast<double>(matrix.batch * matrix.m * n) * static_cast<double>(matrix.k);
  product.bytes = static_cast<double>(matrix.batch * (matrix.m + n) * matrix.k * size) +
                  static_cast<double>(span_bytes(y)) * (matrix.residual ? 2 : 1);
  return product;
}

void set_problem(Product& product, const Matrix& matrix) {
  product.problem =
      format("matmul {} {} {} {} {}x{}x{} batch {}{}", ir::text(product.in), ir::text(product.out),
             product.residual_type ? ir::text(*product.residual_type) : "none",
             ir::text(matrix.activation), matrix.m, product.p.k_written, matrix.k, matrix.batch,
             product.p.weights_batch_bytes ? " moving" : "");
}

/// The right side: constants in rows of whole 128 bytes, or a value whose columns become rows.
void set_right_side(Lowering& lowering, const ir::Node& node, const Matrix& matrix,
                    Product& product) {
  ConvParams& p = product.p;
  const int64_t size = static_cast<int64_t>(ir::size_bytes(product.in));
  if (const ir::Tensor* constant = lowering.graph().constant(node, 1);
      constant && matrix.batch == 1) {
    p.weight_row_bytes = static_cast<int>(round_up(product.sum_bytes, 128));
    const int64_t rows = p.k_padded, row = p.weight_row_bytes / size;
    product.weights = lowering.constant(rows * row * size, [b = *constant, matrix, rows, row] {
      return pack_b(b, matrix, rows, row);
    });
    return;
  }
  const View b = with_whole_rows(lowering, node, "columns",
                                 as_batches(lowering.dense(node.inputs[1]), matrix.batch, matrix.n,
                                            matrix.k, !matrix.transpose_b));
  p.weight_row_bytes = static_cast<int>(b.strides[1] * size);
  p.weights_batch_bytes = std::max<int64_t>(b.strides[0] * size, 1);
  p.k_padded = static_cast<int>(matrix.n);
  product.weights = b.place;
}

/// True for products that may stand beside others of the same left side: constant weights in half,
/// nothing fused but a bias.
bool may_join(const ir::Graph& graph, const ir::Node& node) {
  if (node.op != Op::MatMul || node.inputs.size() > 3) return false;
  const auto& a = node.get<ir::MatMulAttributes>();
  const ir::Tensor* b = graph.constant(node, 1);
  if (!b || b->rank() != 2 || b->dims()[1] % 16 != 0 || b->type() != DataType::Float16)
    return false;
  return !a.residual && a.activation == ir::ActivationKind::None &&
         graph.value(node.outputs[0]).type == DataType::Float16;
}

/// The products beside each other: one launch whose columns are those of all, and a view for each.
void lower_joint_products(Lowering& lowering, const Group& group) {
  const ir::Graph& graph = lowering.graph();
  const ir::Node& first = graph.nodes[static_cast<size_t>(group.at)];
  const Matrix matrix = matrix_of(graph, first);
  int64_t n = 0;
  std::vector<float> bias;
  std::vector<std::pair<ir::Tensor, Matrix>> sides;
  for (const int index : group.nodes) {
    const ir::Node& node = graph.nodes[static_cast<size_t>(index)];
    const Matrix one = matrix_of(graph, node);
    const std::vector<float> own = bias_of(graph, node, one);
    bias.insert(bias.end(), own.begin(), own.end());
    sides.emplace_back(*graph.constant(node, 1), one);
    n += one.n;
  }
  View y = lowering.scratch_view(DataType::Float16, 1, {matrix.m, n}, Arrangement::Dense);
  Product product = product_of(lowering, first, matrix, n, y);
  ConvParams& p = product.p;
  p.weight_row_bytes = static_cast<int>(round_up(product.sum_bytes, 128));
  const int64_t row = p.weight_row_bytes / 2;
  product.weights = lowering.constant(n * row * 2, [sides, row] {
    std::vector<std::byte> all;
    for (const auto& [b, one] : sides) {
      const std::vector<std::byte> part = pack_b(b, one, one.n, row);
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  });
  product.bias = lowering.constant_floats(std::move(bias));
  set_problem(product, matrix);
  add_product(lowering, first, "", product);
  for (size_t i = 0; i < group.nodes.size(); ++i) {
    const ir::ValueId id = graph.nodes[static_cast<size_t>(group.nodes[i])].outputs[0];
    View part = y;
    part.dims = ir::dims_of(graph.value(id).shape);
    part.strides = ir::dense_strides(part.dims);
    for (size_t d = 0; d + 1 < part.strides.size(); ++d)
      part.strides[d] = part.strides[d] / sides[i].second.n * n;
    if (!lowering.alias(id, part)) lowering.copy(first, "part", part, lowering.target_view(id));
    y.place.offset += sides[i].second.n * 2;
  }
}

}  // namespace

std::optional<Group> joint_products_around(const Links& links, const ir::Node& node,
                                           const Target&) {
  const ir::Graph& graph = links.graph();
  if (!may_join(graph, node)) return std::nullopt;
  Group group;
  for (const int index : links.users(node.inputs[0])) {
    const ir::Node& other = graph.nodes[static_cast<size_t>(index)];
    if (other.inputs[0] == node.inputs[0] && may_join(graph, other)) group.nodes.push_back(index);
  }
  if (group.nodes.size() < 2 || group.nodes.front() != links.index(node)) return std::nullopt;
  group.at = group.nodes.front();
  group.lower = lower_joint_products;
  return group;
}

void lower_product(Lowering& lowering, const ir::Node& node) {
  const ir::Graph& graph = lowering.graph();
  const Matrix matrix = matrix_of(graph, node);
  const View y = lowering.target_dense(node.outputs[0]);
  Product product = product_of(lowering, node, matrix, matrix.n, y);
  product.bias = lowering.constant_floats(bias_of(graph, node, matrix));
  if (product.in == DataType::Int8)
    product.multiplier = lowering.constant_floats(multipliers(graph, node, matrix));
  set_right_side(lowering, node, matrix, product);
  if (matrix.residual) {
    const View residual = lowering.dense(matrix.residual_value);
    product.residual_type = residual.type;
    product.residual = residual.place;
    product.p.residual_pixel = static_cast<int>(matrix.n);
    product.p.residual_batch = matrix.m * matrix.n;
    product.p.residual_scale = residual.scale;
  }
  set_problem(product, matrix);
  add_product(lowering, node, "", product);
}

}  // namespace dlaexec::gpu
