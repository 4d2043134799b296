#include "conformance/integer_network.h"

#include <algorithm>

#include "ref/evaluate.h"

namespace dlaexec::test {
namespace {

using ir::Tensor;

int64_t sum_of_products(std::span<const int> a, std::span<const int> b, PairSums sums) {
  int64_t sum = 0;
  size_t i = 0;
  for (; i + 2 <= a.size(); i += 2) {
    const int pair = a[i] * b[i] + a[i + 1] * b[i + 1];
    sum += sums == PairSums::Exact ? pair : std::clamp(pair, -32768, 32767);
  }
  return i < a.size() ? sum + a[i] * b[i] : sum;
}

/// A matrix of sums [rows, outputs] and what makes it: rows of u8, and the weights of each output.
struct Sums {
  size_t terms = 0;
  std::vector<int> rows, weights;
  int zero_point = 0;  ///< of the rows

  /// Gives every (sum of (row - zero point) * weights) to @p take(row, output, sum).
  template <class Take>
  void compute(PairSums how, Take&& take) const {
    for (size_t k = 0; k < weights.size() / terms; ++k) {
      const std::span<const int> b(weights.data() + k * terms, terms);
      int64_t total = 0;
      for (const int weight : b) total += weight;
      for (size_t r = 0; r < rows.size() / terms; ++r)
        take(r, k, sum_of_products({rows.data() + r * terms, terms}, b, how) - zero_point * total);
    }
  }
};

class Run {
 public:
  Run(const ir::Graph& graph, PairSums sums)
      : graph_(graph), sums_(sums), made_by_(ir::producers(graph)), values_(graph.values.size()) {}

  Tensors outputs(const Tensors& inputs) {
    for (size_t i = 0; i < values_.size(); ++i)
      if (graph_.values[i].constant) values_[i] = *graph_.values[i].constant;
    for (size_t i = 0; i < inputs.size(); ++i) at(graph_.inputs[i]) = inputs[i];
    for (const ir::Node& node : graph_.nodes) {
      const std::vector<Tensor> made = evaluated(node);
      for (size_t i = 0; i < made.size(); ++i) at(node.outputs[i]) = made[i];
    }
    Tensors outputs;
    for (const ir::ValueId id : graph_.outputs) outputs.push_back(at(id));
    return outputs;
  }

 private:
  Tensor& at(ir::ValueId id) { return values_[static_cast<size_t>(id)]; }

  std::vector<Tensor> evaluated(const ir::Node& node) {
    const bool is_product = node.op == ir::Op::Conv || node.op == ir::Op::MatMul;
    if (is_product && dequantizer(node, 0) && dequantizer(node, 1)) {
      if (node.op == ir::Op::MatMul) return {product(node)};
      if (node.get<ir::ConvAttributes>().groups == 1) return {convolution(node)};
    }
    std::vector<Tensor> inputs;
    for (const ir::ValueId id : node.inputs)
      inputs.push_back(id == ir::kNoValue ? Tensor() : at(id));
    return ref::evaluate(graph_, node, inputs);
  }

  /// The node that subtracts the zero point of an operand's integers.
  const ir::Node* dequantizer(const ir::Node& node, size_t input) const {
    const int maker = made_by_[static_cast<size_t>(node.inputs[input])];
    if (maker < 0) return nullptr;
    const ir::Node& found = graph_.nodes[static_cast<size_t>(maker)];
    return found.op == ir::Op::Dequantize ? &found : nullptr;
  }

  Tensor integers(const ir::Node& node, size_t input) {
    return at(dequantizer(node, input)->inputs[0]);
  }

  int zero_point(const ir::Node& node) {
    return static_cast<int>(at(dequantizer(node, 0)->inputs[2]).to_ints().at(0));
  }

  Tensor product(const ir::Node& node) {
    const Tensor a = integers(node, 0), b = integers(node, 1);
    const auto terms = static_cast<size_t>(b.dims()[0]), width = static_cast<size_t>(b.dims()[1]);
    const std::vector<int64_t> rows = a.to_ints(), weights = b.to_ints();
    Sums sums{
        terms, {rows.begin(), rows.end()}, std::vector<int>(weights.size()), zero_point(node)};
    for (size_t i = 0; i < weights.size(); ++i)
      sums.weights[i % width * terms + i / width] = static_cast<int>(weights[i]);
    Tensor result(ir::DataType::Float32, {a.count() / b.dims()[0], b.dims()[1]});
    sums.compute(sums_, [&](size_t row, size_t output, int64_t sum) {
      result.mutable_as<float>()[row * width + output] = static_cast<float>(sum);
    });
    return result;
  }

  Tensor convolution(const ir::Node& node) {
    const Tensor x = integers(node, 0), w = integers(node, 1);
    const ir::Dims& kernel = w.dims();
    Tensor result(ir::DataType::Float32, ir::dims_of(graph_.value(node.outputs[0]).shape));
    const auto pixels = static_cast<size_t>(result.dims()[2] * result.dims()[3]);
    Sums sums{static_cast<size_t>(w.count() / kernel[0]),
              rows_of(node, x, kernel, result.dims()),
              {},
              zero_point(node)};
    const std::vector<int64_t> weights = w.to_ints();
    for (int64_t k = 0; k < kernel[0]; ++k)
      for (int64_t tap = 0; tap < kernel[2] * kernel[3]; ++tap)
        for (int64_t c = 0; c < kernel[1]; ++c)
          sums.weights.push_back(static_cast<int>(
              weights[static_cast<size_t>((k * kernel[1] + c) * kernel[2] * kernel[3] + tap)]));
    const bool has_bias = ir::Graph::input(node, 2) != ir::kNoValue;
    const std::vector<float> bias =
        has_bias ? at(node.inputs[2]).to_floats() : std::vector<float>(result.dims()[1], 0);
    sums.compute(sums_, [&](size_t row, size_t output, int64_t sum) {
      result.mutable_as<float>()[output * pixels + row] =
          static_cast<float>(sum + static_cast<int64_t>(bias[output]));
    });
    return result;
  }

  /// What the kernel covers at each output: rows of kernel row, kernel column, channel.
  std::vector<int> rows_of(const ir::Node& node, const Tensor& x, const ir::Dims& kernel,
                           const ir::Dims& output) {
    const auto& window = node.get<ir::ConvAttributes>();
    const std::vector<int64_t> elements = x.to_ints();
    const int64_t height = x.dims()[2], width = x.dims()[3];
    std::vector<int> rows;
    for (int64_t oy = 0; oy < output[2]; ++oy)
      for (int64_t ox = 0; ox < output[3]; ++ox)
        for (int64_t tap = 0; tap < kernel[2] * kernel[3]; ++tap) {
          const int64_t y = oy * window.stride[0] - window.pads[0] + tap / kernel[3];
          const int64_t at_x = ox * window.stride[1] - window.pads[1] + tap % kernel[3];
          const bool inside = y >= 0 && y < height && at_x >= 0 && at_x < width;
          for (int64_t c = 0; c < kernel[1]; ++c)
            rows.push_back(inside
                               ? static_cast<int>(
                                     elements[static_cast<size_t>((c * height + y) * width + at_x)])
                               : zero_point(node));
        }
    return rows;
  }

  const ir::Graph& graph_;
  PairSums sums_;
  std::vector<int> made_by_;
  std::vector<Tensor> values_;
};

}  // namespace

Tensors run_in_integers(const ir::Graph& graph, const Tensors& inputs, PairSums sums) {
  return Run(graph, sums).outputs(inputs);
}

}  // namespace dlaexec::test
