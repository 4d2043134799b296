// Gemm and MatMul with known weights, and batches of products of two computed matrices.
#include <algorithm>
#include <functional>
#include <memory>

#include "cpu/catalog.h"
#include "cpu/int8_sums.h"
#include "cpu/operands.h"
#include "cpu/product.h"

namespace dlaexec::cpu {
namespace {

/// Whether a product may run on floats: two Int8 operands want exact integer sums instead.
bool has_real_operands(const Request& request) {
  for (const ir::ValueId id : request.node.inputs)
    if (id != ir::kNoValue && !holds_reals(request.graph.value(id))) return false;
  return holds_reals(request.output()) && (request.input(0).type != ir::DataType::Int8 ||
                                           request.input(1).type != ir::DataType::Int8);
}

Kernel product_kernel(const Request& request, std::shared_ptr<Product> product, int64_t rows,
                      int residual) {
  Kernel kernel = kernel_with_epilogue(request, "gemm.packed", kLinear, residual);
  kernel.scratch_bytes = product->scratch_bytes(rows);
  kernel.run = [product = std::move(product), rows, residual](const Call& call) {
    const float* added = residual < 0 ? nullptr : call.input(static_cast<size_t>(residual));
    product->run({call.input(0), product->terms, added, call.output(), rows}, call.scratch_floats(),
                 call.pool);
  };
  return kernel;
}

template <class Attributes>
std::shared_ptr<Product> start_product(const Request& request, const Attributes& attributes,
                                       int64_t terms, int64_t outputs) {
  auto product = std::make_shared<Product>();
  product->terms = terms;
  product->outputs = outputs;
  product->tiles = &tile_kernels(request.isa);
  product->epilogue = make_epilogue({attributes.activation, attributes.alpha, attributes.beta},
                                    request.output(), request.isa);
  return product;
}

}  // namespace

std::optional<Kernel> make_gemm(const Request& request) {
  const auto& attributes = request.node.get<ir::GemmAttributes>();
  const int residual = residual_input(request, attributes);
  if (!has_real_operands(request) || request.constant(1) == nullptr || attributes.transpose_a ||
      !is_like_output(request, residual))
    return std::nullopt;
  const ir::Dims a = request.input_dims(0), b = request.input_dims(1);
  const int64_t terms = a[1], outputs = b[attributes.transpose_b ? 0 : 1];
  const auto bias =
      known_bias(request, bias_input(request, attributes), outputs, attributes.scale_c);
  if (!bias) return std::nullopt;

  auto product = start_product(request, attributes, terms, outputs);
  const Numbers numbers = read_numbers(request.input(1));
  const int64_t output_step = attributes.transpose_b ? terms : 1;
  const int64_t term_step = attributes.transpose_b ? 1 : outputs;
  const auto weight = [&](int64_t, int64_t output, int64_t term) {
    return attributes.scale_ab * numbers.data[output * output_step + term * term_step];
  };
  product->panels = pack_panels({1, outputs, terms, weight}, product->tiles->most_blocks);
  product->panels.set_bias(*bias, outputs);
  return product_kernel(request, product, a[0], residual);
}

namespace {

/// x[..., M, K] * known [K, N]: one product of all rows.
std::optional<Kernel> make_matmul_by_known(const Request& request) {
  const auto& attributes = request.node.get<ir::MatMulAttributes>();
  const ir::Dims a = request.input_dims(0), b = request.input_dims(1);
  if (request.constant(1) == nullptr || b.size() != 2 || a.size() < 2) return std::nullopt;
  const int64_t terms = b[0], outputs = b[1];
  const auto bias = known_bias(request, bias_input(request, attributes), outputs, 1);
  if (!bias) return std::nullopt;
  auto product = start_product(request, attributes, terms, outputs);
  const Numbers numbers = read_numbers(request.input(1));
  const auto weight = [&](int64_t, int64_t output, int64_t term) {
    return numbers.data[term * outputs + output];
  };
  product->panels = pack_panels({1, outputs, terms, weight}, product->tiles->most_blocks);
  product->panels.set_bias(*bias, outputs);
  return product_kernel(request, product, ir::volume(a) / terms,
                        residual_input(request, attributes));
}

/// Packs a computed matrix as pack_panels does, into memory made beforehand.
void repack(const float* matrix, Panels& panels, int64_t terms, int64_t outputs) {
  for (const Panel& panel : panels.panels) {
    float* to = panels.weights.data() + panel.weights;
    const int64_t column = panel.first_block * kBlock;
    const int64_t width = std::min(panel.blocks * kBlock, outputs - column);
    for (int64_t term = 0; term < terms; ++term, to += panel.blocks * kBlock)
      std::copy_n(matrix + term * outputs + column, width, to);
  }
}

/// Two computed operands, batch dimensions broadcast; each thread takes whole matrices.
std::optional<Kernel> make_batched_matmul(const Request& request) {
  const auto& attributes = request.node.get<ir::MatMulAttributes>();
  const ir::Dims a = request.input_dims(0), b = request.input_dims(1);
  const int residual = residual_input(request, attributes);
  if (a.size() < 2 || b.size() < 2 || !is_like_output(request, residual)) return std::nullopt;
  const int64_t rows = a[a.size() - 2], terms = a.back(), outputs = b.back();
  const auto bias = known_bias(request, bias_input(request, attributes), outputs, 1);
  if (!bias) return std::nullopt;
  auto product = start_product(request, attributes, terms, outputs);
  const auto zero = [](int64_t, int64_t, int64_t) { return 0.0f; };
  product->panels = pack_panels({1, outputs, terms, zero}, product->tiles->most_blocks);
  product->panels.set_bias(*bias, outputs);

  const ir::Dims output = request.output_dims();
  const int64_t matrices = rows * outputs == 0 ? 0 : ir::volume(output) / (rows * outputs);
  Kernel kernel = product_kernel(request, product, rows, residual);
  kernel.name = "gemm.batched";
  kernel.scratch_bytes = 0;
  kernel.inputs[1] = kLinear;
  kernel.run = [=, a_steps = batch_steps(a, output), b_steps = batch_steps(b, output),
                product = std::shared_ptr<const Product>(product)](const Call& call) {
    call.pool.parallel_ranges(matrices, 1, [&](int64_t first, int64_t last) {
      Product mine = *product;
      for (int64_t i = first; i < last; ++i) {
        repack(call.input(1) + batch_offset(i, output, b_steps), mine.panels, terms, outputs);
        const int64_t at = i * rows * outputs;
        const Strips strips(1, rows, mine.tiles->most_rows);
        const float* added =
            residual < 0 ? nullptr : call.input(static_cast<size_t>(residual)) + at;
        mine.run_task({call.input(0) + batch_offset(i, output, a_steps), terms, added,
                       call.output() + at, rows},
                      strips, {0, mine.panels.count(), 0, strips.count(), strips.count()});
      }
    });
  };
  return kernel;
}

}  // namespace

std::optional<Kernel> make_matmul(const Request& request) {
  const int residual = residual_input(request, request.node.get<ir::MatMulAttributes>());
  if (!has_real_operands(request) || !is_like_output(request, residual)) return std::nullopt;
  if (auto kernel = make_matmul_by_known(request)) return kernel;
  return make_batched_matmul(request);
}

namespace {

/// input[rows, terms] * weight(output, term), both Int8.
struct Int8Matrices {
  int64_t rows, terms, outputs;
  double scale_ab;
  std::function<float(int64_t output, int64_t term)> weight;
};

template <class Attributes>
std::optional<Kernel> int8_kernel(const Request& request, const Attributes& attributes,
                                  const Int8Matrices& of, const std::vector<float>& bias) {
  const int residual = residual_input(request, attributes);
  const ir::Value& input = request.input(0);
  const auto scales = int8_weight_scales(request.input(1), of.outputs);
  if (!scales || !has_int8_steps(input) || !holds_reals(request.output()) ||
      !is_like_output(request, residual) || of.terms > kMostInt8Terms)
    return std::nullopt;
  auto sums = std::make_shared<Int8Sums>();
  sums->kernels = &int8_kernels(request.isa);
  sums->frame.input_height = sums->frame.height = of.rows;
  sums->chunk_terms = chunk_terms_for(sums->kernels->tiles, of.terms);
  sums->frame.cell = round_up(of.terms, sums->chunk_terms);
  sums->read_cell = of.terms;
  sums->scale = input.quantization.scales[0];
  sums->strips = Strips(1, of.rows, sums->kernels->tiles.most_rows);
  for (int64_t term = 0; term < of.terms; term += sums->chunk_terms) sums->chunks.push_back(term);
  sums->input.x = sums->frame.cell;
  sums->output.x = of.outputs;
  sums->output_block = kBlock;
  sums->epilogue = make_epilogue({attributes.activation, attributes.alpha, attributes.beta},
                                 request.output(), request.isa);
  const auto whole = static_cast<size_t>(round_up(of.outputs, kBlock));
  sums->results.factors.assign(whole, 0.0);
  sums->results.bias.assign(whole, 0.0);
  for (size_t i = 0; i < scales->size(); ++i) {
    sums->results.factors[i] = of.scale_ab * sums->scale * (*scales)[i];
    sums->results.bias[i] = bias[i];
  }
  sums->pack({1, of.outputs, sums->frame.cell, [&](int64_t, int64_t output, int64_t term) {
                return term < of.terms ? of.weight(output, term) : 0.0f;
              }});
  Kernel kernel = kernel_with_epilogue(request, "gemm.int8", kLinear, residual);
  kernel.scratch_bytes = sums->scratch_bytes();
  kernel.run = [sums, residual](const Call& call) {
    const float* added = residual < 0 ? nullptr : call.input(static_cast<size_t>(residual));
    sums->run(call.input(0), added, call.output(), call.scratch, call.pool);
  };
  return kernel;
}

}  // namespace

std::optional<Kernel> make_int8_gemm(const Request& request) {
  const auto& attributes = request.node.get<ir::GemmAttributes>();
  if (attributes.transpose_a || request.constant(1) == nullptr) return std::nullopt;
  const ir::Dims a = request.input_dims(0), b = request.input_dims(1);
  const int64_t terms = a[1], outputs = b[attributes.transpose_b ? 0 : 1];
  const auto bias =
      known_bias(request, bias_input(request, attributes), outputs, attributes.scale_c);
  if (!bias) return std::nullopt;
  const std::vector<float> weights = request.constant(1)->to_floats();
  const int64_t output_step = attributes.transpose_b ? terms : 1;
  const int64_t term_step = attributes.transpose_b ? 1 : outputs;
  const auto weight = [&](int64_t output, int64_t term) {
    return weights[static_cast<size_t>(output * output_step + term * term_step)];
  };
  return int8_kernel(request, attributes, {a[0], terms, outputs, attributes.scale_ab, weight},
                     *bias);
}

std::optional<Kernel> make_int8_matmul(const Request& request) {
  const auto& attributes = request.node.get<ir::MatMulAttributes>();
  const ir::Dims a = request.input_dims(0), b = request.input_dims(1);
  if (request.constant(1) == nullptr || b.size() != 2 || a.size() < 2) return std::nullopt;
  const int64_t terms = b[0], outputs = b[1];
  const auto bias = known_bias(request, bias_input(request, attributes), outputs, 1);
  if (!bias) return std::nullopt;
  const std::vector<float> weights = request.constant(1)->to_floats();
  const auto weight = [&](int64_t output, int64_t term) {
    return weights[static_cast<size_t>(term * outputs + output)];
  };
  return int8_kernel(request, attributes, {ir::volume(a) / terms, terms, outputs, 1, weight},
                     *bias);
}

}  // namespace dlaexec::cpu
