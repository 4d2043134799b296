// MatMul of two computed Int8 operands: few enough terms that whole floats add up exactly.
#include <algorithm>
#include <memory>

#include "cpu/catalog.h"
#include "cpu/int8_sums.h"
#include "cpu/operands.h"
#include "cpu/product.h"

namespace dlaexec::cpu {
namespace {

/// Sums of products of two Int8 numbers that floats hold exactly.
constexpr int64_t kMostTerms = (int64_t{1} << 24) / (128 * 128);

struct Int8Batch {
  Product sums;  ///< of whole numbers; its outputs are whole blocks
  int64_t rows = 0, outputs = 0;
  float left_scale = 1, right_scale = 1;
  Int8Outputs results;
  Epilogue epilogue;
  const Int8Kernels* kernels = nullptr;

  /// What a thread works in.
  struct Room {
    Product product;
    std::vector<float> left, right;        ///< whole numbers
    std::vector<float> results, residual;  ///< rows of whole blocks
  };

  void multiply(const float* left, const float* right, const float* residual, float* to,
                Room& room) const;

 private:
  void pack(const float* right, Room& room) const;
  void finish(bool has_residual, Room& room) const;
};

/// The right matrix as whole numbers in panels.
void Int8Batch::pack(const float* right, Room& room) const {
  room.right.resize(static_cast<size_t>(sums.terms * outputs));
  kernels->to_whole(right_scale, right, room.right.data(), sums.terms * outputs);
  Panels& panels = room.product.panels;
  for (const Panel& panel : panels.panels) {
    float* panel_at = panels.weights.data() + panel.weights;
    const int64_t column = panel.first_block * kBlock;
    const int64_t width = std::min(panel.blocks * kBlock, outputs - column);
    for (int64_t term = 0; term < sums.terms; ++term, panel_at += panel.blocks * kBlock)
      std::copy_n(room.right.data() + term * outputs + column, width, panel_at);
  }
}

void Int8Batch::multiply(const float* left, const float* right, const float* residual, float* to,
                         Room& room) const {
  pack(right, room);
  room.left.resize(static_cast<size_t>(rows * sums.terms));
  kernels->to_whole(left_scale, left, room.left.data(), rows * sums.terms);
  const int64_t whole = sums.outputs;
  room.results.resize(static_cast<size_t>(rows * whole));
  const Strips strips(1, rows, room.product.tiles->most_rows);
  room.product.run_task({room.left.data(), sums.terms, nullptr, room.results.data(), rows}, strips,
                        {0, room.product.panels.count(), 0, strips.count(), strips.count()});
  if (residual != nullptr) {
    room.residual.resize(room.results.size());
    for (int64_t r = 0; r < rows; ++r)
      std::copy_n(residual + r * outputs, outputs, room.residual.data() + r * whole);
  }
  finish(residual != nullptr, room);
  for (int64_t r = 0; r < rows; ++r)
    std::copy_n(room.results.data() + r * whole, outputs, to + r * outputs);
}

/// Results of the sums, where they lie.
void Int8Batch::finish(bool has_residual, Room& room) const {
  for (int64_t first = 0; first < sums.outputs; first += kBlock) {
    Int8Results made{};
    made.rows = static_cast<int>(rows);
    made.sums_step = made.output_step = sums.outputs;
    made.factor = results.factors.data() + first;
    made.bias = results.bias.data() + first;
    made.residual = has_residual ? room.residual.data() + first : nullptr;
    made.low = epilogue.low;
    made.high = epilogue.high;
    made.output = room.results.data() + first;
    kernels->finish_whole(made.output, made);
  }
  if (epilogue.has_more()) epilogue.finish(room.results.data(), rows * sums.outputs);
}

/// What multiplies matrices [rows, terms] x [terms, outputs] and finishes them as @p request asks.
std::shared_ptr<const Int8Batch> make_batch(const Request& request, int64_t rows, int64_t terms,
                                            int64_t outputs, const std::vector<float>& bias) {
  const auto& attributes = request.node.get<ir::MatMulAttributes>();
  auto batch = std::make_shared<Int8Batch>();
  batch->rows = rows;
  batch->outputs = outputs;
  const int64_t whole = round_up(outputs, kBlock);
  batch->sums.terms = terms;
  batch->sums.outputs = whole;
  batch->sums.tiles = &tile_kernels(request.isa);
  const auto zero = [](int64_t, int64_t, int64_t) { return 0.0f; };
  batch->sums.panels = pack_panels({1, whole, terms, zero}, batch->sums.tiles->most_blocks);
  batch->sums.panels.set_bias({}, whole);
  batch->left_scale = request.input(0).quantization.scales[0];
  batch->right_scale = request.input(1).quantization.scales[0];
  batch->results.factors.assign(static_cast<size_t>(whole),
                                static_cast<double>(batch->left_scale) * batch->right_scale);
  batch->results.bias.assign(bias.begin(), bias.end());
  batch->results.bias.resize(static_cast<size_t>(whole), 0.0);
  batch->epilogue = make_epilogue({attributes.activation, attributes.alpha, attributes.beta},
                                  request.output(), request.isa);
  batch->kernels = &int8_kernels(request.isa);
  return batch;
}

}  // namespace

std::optional<Kernel> make_int8_batched_matmul(const Request& request) {
  const auto& attributes = request.node.get<ir::MatMulAttributes>();
  const ir::Dims a = request.input_dims(0), b = request.input_dims(1);
  const int residual = residual_input(request, attributes);
  if (!has_int8_steps(request.input(0)) || !has_int8_steps(request.input(1)) || a.size() < 2 ||
      b.size() < 2 || a.back() > kMostTerms || !holds_reals(request.output()) ||
      !is_like_output(request, residual))
    return std::nullopt;
  const auto bias = known_bias(request, bias_input(request, attributes), b.back(), 1);
  if (!bias) return std::nullopt;

  const ir::Dims output = request.output_dims();
  Kernel kernel = kernel_with_epilogue(request, "gemm.int8-batched", kLinear, residual);
  kernel.inputs[1] = kLinear;
  kernel.run =
      [output, residual, batch = make_batch(request, a[a.size() - 2], a.back(), b.back(), *bias),
       a_steps = batch_steps(a, output), b_steps = batch_steps(b, output)](const Call& call) {
        const int64_t matrix = batch->rows * batch->outputs;
        call.pool.parallel_ranges(ir::volume(output) / matrix, 1, [&](int64_t first, int64_t last) {
          Int8Batch::Room room{batch->sums, {}, {}, {}, {}};
          for (int64_t i = first; i < last; ++i)
            batch->multiply(
                call.input(0) + batch_offset(i, output, a_steps),
                call.input(1) + batch_offset(i, output, b_steps),
                residual < 0 ? nullptr : call.input(static_cast<size_t>(residual)) + i * matrix,
                call.output() + i * matrix, room);
        });
      };
  return kernel;
}

}  // namespace dlaexec::cpu
