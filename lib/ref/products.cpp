// gemm, matmul and einsum.
#include <algorithm>
#include <map>

#include "ir/einsum.h"
#include "ref/epilogue.h"
#include "ref/stride.h"

namespace dlaexec::ref {
namespace {

/// A matrix as it lies in memory.
struct Matrix {
  const float* data;
  int64_t row_stride, column_stride;
};

/// sums[n] = sum over k of a[row][k] * b[k][n].
void multiply_row(const Matrix& a, const Matrix& b, int64_t row, int64_t depth,
                  std::vector<double>& sums) {
  std::fill(sums.begin(), sums.end(), 0.0);
  const auto columns = static_cast<int64_t>(sums.size());
  for (int64_t k = 0; k < depth; ++k) {
    const double factor = a.data[row * a.row_stride + k * a.column_stride];
    const float* from = b.data + k * b.row_stride;
    if (b.column_stride == 1) {
      for (int64_t n = 0; n < columns; ++n) sums[n] += factor * static_cast<double>(from[n]);
    } else {
      for (int64_t n = 0; n < columns; ++n)
        sums[n] += factor * static_cast<double>(from[n * b.column_stride]);
    }
  }
}

/// The factor of output column @p n: b's scales lie along its columns.
std::vector<double> column_factors(const Call& call, int64_t columns) {
  std::vector<double> factors;
  for (int64_t n = 0; n < columns; ++n)
    factors.push_back(call.scale(0, 0) * call.scale(1, static_cast<size_t>(n)));
  return factors;
}

/// Integers that mean themselves multiply exactly, without going through floats.
bool exact(const Call& call) { return call.is_integer(0) && call.is_integer(1); }

}  // namespace

Tensors gemm(const Call& call) {
  const auto& attributes = call.get<ir::GemmAttributes>();
  const Dims& a = call.dims(0);
  const Dims& b = call.dims(1);
  const int64_t rows = a[attributes.transpose_a ? 1 : 0];
  const int64_t depth = a[attributes.transpose_a ? 0 : 1];
  const int64_t columns = b[attributes.transpose_b ? 0 : 1];
  if (b[attributes.transpose_b ? 1 : 0] != depth)
    fail("a of shape {} and b of shape {} do not multiply", ir::to_text(a), ir::to_text(b));
  const std::vector<float> left = call.stored(0);
  // b as [depth][columns], so that rows are summed side by side.
  Tensor right = Tensor::of(b, call.stored(1));
  if (attributes.transpose_b) right = gather_strided(right, {depth, columns}, 0, {1, depth});
  const Matrix left_matrix =
      attributes.transpose_a ? Matrix{left.data(), 1, rows} : Matrix{left.data(), depth, 1};
  const Matrix right_matrix{right.as<float>().data(), columns, 1};
  const std::vector<double> factors = column_factors(call, columns);
  const Epilogue epilogue(call, attributes);
  const Dims y = {rows, columns};
  const Dims c_strides = epilogue.bias().empty() ? Dims{0, 0} : broadcast_strides(call.dims(2), y);
  std::vector<double> sums(static_cast<size_t>(columns));
  std::vector<float> result(static_cast<size_t>(rows * columns));
  for (int64_t m = 0; m < rows; ++m) {
    multiply_row(left_matrix, right_matrix, m, depth, sums);
    for (int64_t n = 0; n < columns; ++n) {
      const auto at = static_cast<size_t>(m * columns + n);
      double sum =
          attributes.scale_ab * sums[static_cast<size_t>(n)] * factors[static_cast<size_t>(n)];
      if (!epilogue.bias().empty())
        sum += static_cast<double>(attributes.scale_c) *
               epilogue.bias()[static_cast<size_t>(m * c_strides[0] + n * c_strides[1])];
      result[at] = epilogue.without_bias(sum, at);
    }
  }
  return {call.from_reals(y, result)};
}

Tensors matmul(const Call& call) {
  Dims a = call.dims(0);
  Dims b = call.dims(1);
  const bool is_row = a.size() == 1;
  const bool is_column = b.size() == 1;
  if (is_row) a.insert(a.begin(), 1);
  if (is_column) b.push_back(1);
  const int64_t rows = a[a.size() - 2];
  const int64_t depth = a.back();
  const int64_t columns = b.back();
  if (b[b.size() - 2] != depth)
    fail("shapes {} and {} do not multiply", ir::to_text(call.dims(0)), ir::to_text(call.dims(1)));
  const Dims a_batch(a.begin(), a.end() - 2);
  const Dims b_batch(b.begin(), b.end() - 2);
  const Dims batch = broadcast(a_batch, b_batch);
  const std::vector<float> left = call.stored(0);
  const std::vector<float> right = call.stored(1);
  const std::vector<double> factors = column_factors(call, columns);
  const Epilogue epilogue(call, call.get<ir::MatMulAttributes>());
  std::vector<double> sums(static_cast<size_t>(columns));
  std::vector<float> result(static_cast<size_t>(ir::volume(batch) * rows * columns));
  std::vector<int64_t> whole(exact(call) ? result.size() : 0);
  int64_t number = 0;
  Dims walk = batch;  // one matrix a step of the walk, so the last dimension is no row of it
  walk.push_back(1);
  Dims a_strides = broadcast_strides(a_batch, batch);
  Dims b_strides = broadcast_strides(b_batch, batch);
  a_strides.push_back(0);
  b_strides.push_back(0);
  for_each_row<2>(walk, {a_strides, b_strides}, [&](int64_t, const std::array<int64_t, 2>& at) {
    const Matrix left_matrix{left.data() + at[0] * rows * depth, depth, 1};
    const Matrix right_matrix{right.data() + at[1] * depth * columns, columns, 1};
    for (int64_t m = 0; m < rows; ++m, ++number) {
      multiply_row(left_matrix, right_matrix, m, depth, sums);
      for (int64_t n = 0; n < columns; ++n) {
        const auto to = static_cast<size_t>(number * columns + n);
        const auto column = static_cast<size_t>(n);
        if (!whole.empty()) whole[to] = static_cast<int64_t>(sums[column]);
        result[to] = epilogue(sums[column] * factors[column], column, to);
      }
    }
  });
  Dims y = batch;
  if (!is_row) y.push_back(rows);
  if (!is_column) y.push_back(columns);
  return {whole.empty() ? call.from_reals(y, result) : call.from_ints(y, whole)};
}

namespace {

/// The letters of an einsum with their sizes; those of an ellipsis get letters of their own.
struct Labels {
  std::vector<std::string> inputs;
  std::string output;
  std::map<char, int64_t> sizes;
};

/// Writes the ellipsis out as the control characters 1, 2, ...: they stand for its dimensions, the
/// last being @p shared.
std::string write_out(const std::string& term, size_t count, size_t shared) {
  std::string result;
  for (const char letter : term) {
    if (letter != '.') {
      result += letter;
      continue;
    }
    for (size_t i = shared - count; i < shared; ++i) result += static_cast<char>(i + 1);
  }
  return result;
}

Labels label(const Call& call) {
  const ir::EinsumTerms terms = ir::parse_einsum(call.get<ir::EinsumAttributes>().equation);
  std::vector<size_t> counts;
  for (size_t i = 0; i < terms.inputs.size(); ++i) {
    const bool dots = terms.inputs[i].find('.') != std::string::npos;
    const size_t letters = terms.inputs[i].size() - (dots ? 1 : 0);
    const auto rank = static_cast<size_t>(call.rank(i));
    if (dots ? rank < letters : rank != letters)
      fail("term '{}' does not fit an input of shape {}", terms.inputs[i],
           ir::to_text(call.dims(i)));
    counts.push_back(rank - letters);
  }
  const size_t shared = *std::max_element(counts.begin(), counts.end());
  Labels labels;
  for (size_t i = 0; i < terms.inputs.size(); ++i) {
    labels.inputs.push_back(write_out(terms.inputs[i], counts[i], shared));
    for (size_t d = 0; d < labels.inputs[i].size(); ++d) {
      int64_t& size = labels.sizes.try_emplace(labels.inputs[i][d], 1).first->second;
      if (size == 1) size = call.dims(i)[d];
      if (call.dims(i)[d] != size && call.dims(i)[d] != 1)
        fail("the equation gives one letter the sizes {} and {}", size, call.dims(i)[d]);
    }
  }
  labels.output = write_out(terms.output, shared, shared);
  return labels;
}

}  // namespace

Tensors einsum(const Call& call) {
  const Labels labels = label(call);
  // Every letter is a loop: the output's first, then those that are summed.
  std::string order = labels.output;
  for (const auto& [letter, size] : labels.sizes)
    if (order.find(letter) == std::string::npos) order += letter;
  Dims loops;
  for (const char letter : order) loops.push_back(labels.sizes.at(letter));
  std::vector<std::vector<float>> inputs;
  std::vector<Dims> strides;
  for (size_t i = 0; i < labels.inputs.size(); ++i) {
    inputs.push_back(call.reals(i));
    const Dims dense = ir::dense_strides(call.dims(i));
    Dims stride(order.size(), 0);
    for (size_t d = 0; d < dense.size(); ++d)
      if (call.dims(i)[d] != 1) stride[order.find(labels.inputs[i][d])] += dense[d];
    strides.push_back(stride);
  }
  Dims y(loops.begin(), loops.begin() + static_cast<long>(labels.output.size()));
  const int64_t summed = ir::volume(Dims(loops.begin() + static_cast<long>(y.size()), loops.end()));
  std::vector<float> result(static_cast<size_t>(ir::volume(y)));
  Dims position(loops.size(), 0);
  std::vector<int64_t> offsets(inputs.size(), 0);
  for (float& element : result) {
    double sum = 0;
    for (int64_t s = 0; s < summed; ++s) {
      double product = 1;
      for (size_t i = 0; i < inputs.size(); ++i)
        product *= inputs[i][static_cast<size_t>(offsets[i])];
      sum += product;
      for (size_t d = loops.size(); d-- > 0;) {
        for (size_t i = 0; i < inputs.size(); ++i) offsets[i] += strides[i][d];
        if (++position[d] < loops[d]) break;
        for (size_t i = 0; i < inputs.size(); ++i) offsets[i] -= loops[d] * strides[i][d];
        position[d] = 0;
      }
    }
    element = static_cast<float>(sum);
  }
  return {call.from_reals(y, result)};
}

}  // namespace dlaexec::ref
