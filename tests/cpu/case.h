// One-node graphs with random operands, run by the host engine and by the definition of the op.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "cpu/program.h"
#include "ir/graph.h"

namespace dlaexec::cpu::test {

/// Random numbers that do not depend on the standard library's distributions.
class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  /// Uniform in [low, high].
  int64_t integer(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(engine_() % static_cast<uint64_t>(high - low + 1));
  }
  float number(float low, float high) {
    return low + (high - low) * static_cast<float>(engine_() >> 40) / static_cast<float>(1 << 24);
  }
  template <class T>
  T one_of(std::initializer_list<T> items) {
    return items.begin()[integer(0, static_cast<int64_t>(items.size()) - 1)];
  }
  ir::Tensor tensor(ir::DataType type, const ir::Dims& dims);

 private:
  std::mt19937_64 engine_;
};

/// A graph in the making: inputs, constants and nodes of the wanted types.
struct Case {
  ir::Graph graph;
  std::vector<ir::Tensor> inputs;

  ir::ValueId input(ir::Tensor tensor, float scale = 0);
  ir::ValueId constant(ir::Tensor tensor, std::vector<float> scales = {});
  /// Adds a node with one output; its shape is inferred.
  template <class Attributes>
  ir::ValueId node(ir::Op op, std::vector<ir::ValueId> operands, Attributes attributes,
                   ir::DataType type = ir::DataType::Float32, float scale = 0) {
    const ir::ValueId made = start(op, std::move(operands));
    graph.nodes.back().attributes = std::move(attributes);
    finish(made, type, scale);
    return made;
  }

 private:
  ir::ValueId start(ir::Op op, std::vector<ir::ValueId> operands);
  void finish(ir::ValueId made, ir::DataType type, float scale);
};

/// Runs @p test with each instruction set and 1, 2 and 3 threads: every output must lie within
/// @p tolerance of the definition's, relative to the output's largest number, and must have the
/// same bits for every number of threads. Returns the kernels that ran.
std::vector<std::string> expect_like_reference(const Case& test, double tolerance = 2e-6);

}  // namespace dlaexec::cpu::test
