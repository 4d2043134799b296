#include "cpu/case.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "cpu/parsed.h"
#include "ir/infer.h"
#include "ir/text.h"
#include "ref/evaluate.h"

namespace dlaexec::cpu::test {

ir::Tensor Random::tensor(ir::DataType type, const ir::Dims& dims) {
  if (type == ir::DataType::Int8) {
    ir::Tensor made(type, dims);
    for (int8_t& element : made.mutable_as<int8_t>())
      element = static_cast<int8_t>(integer(-127, 127));
    return made;
  }
  ir::Tensor made(ir::DataType::Float32, dims);
  for (float& element : made.mutable_as<float>()) element = number(-1, 1);
  return made.converted(type);
}

namespace {

ir::Value value_of(const std::string& name, const ir::Tensor& tensor) {
  ir::Value value;
  value.name = name;
  value.type = tensor.type();
  value.shape = ir::shape_of(tensor.dims());
  return value;
}

}  // namespace

ir::ValueId Case::input(ir::Tensor tensor, float scale) {
  ir::Value value = value_of("input", tensor);
  if (scale > 0) value.quantization.scales = {scale};
  const ir::ValueId id = graph.add_value(std::move(value));
  graph.inputs.push_back(id);
  inputs.push_back(std::move(tensor));
  return id;
}

ir::ValueId Case::constant(ir::Tensor tensor, std::vector<float> scales) {
  const ir::ValueId id = graph.add_constant("constant", std::move(tensor));
  graph.value(id).quantization.scales = std::move(scales);
  return id;
}

ir::ValueId Case::start(ir::Op op, std::vector<ir::ValueId> operands) {
  const ir::ValueId made = graph.add_value(value_of("made", ir::Tensor()));
  graph.add_node(op, "node" + std::to_string(graph.nodes.size()), std::move(operands), {made});
  return made;
}

void Case::finish(ir::ValueId made, ir::DataType type, float scale) {
  graph.outputs = {made};
  graph.value(made).type = type;
  if (scale > 0) graph.value(made).quantization.scales = {scale};
  ir::infer_shapes(graph);
}

Case parsed(const char* text_form, uint64_t seed) {
  Case test;
  test.graph = ir::parse(text_form);
  ir::infer(test.graph);
  Random random(seed);
  for (const ir::ValueId id : test.graph.inputs) {
    const ir::Value& value = test.graph.value(id);
    test.inputs.push_back(random.tensor(value.type, ir::dims_of(value.shape)));
  }
  return test;
}

namespace {

/// What one unit in the last place of a stored type is worth beside @p tolerance.
double rounding_step(const ir::Value& value, double largest) {
  switch (value.type) {
    case ir::DataType::Float16:
      return largest * 0x1p-10;
    case ir::DataType::BFloat16:
      return largest * 0x1p-7;
    case ir::DataType::Int8:
      return value.quantization.is_known() ? 1 : 0;
    default:
      return 0;
  }
}

void expect_near(const ir::Value& value, const ir::Tensor& got, const ir::Tensor& wanted,
                 double tolerance, const std::string& what) {
  ASSERT_EQ(got.dims(), wanted.dims()) << what;
  ASSERT_EQ(got.type(), wanted.type()) << what;
  const std::vector<float> a = got.to_floats(), b = wanted.to_floats();
  double largest = 0;
  for (const float number : b)
    if (std::isfinite(number)) largest = std::max(largest, std::abs(static_cast<double>(number)));
  const double limit = tolerance * std::max(largest, 1e-3) + rounding_step(value, largest);
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
    ASSERT_LE(std::abs(static_cast<double>(a[i]) - b[i]), limit)
        << what << ": element " << i << " is " << a[i] << ", the definition gives " << b[i];
  }
}

bool same_bits(const ir::Tensor& a, const ir::Tensor& b) {
  return a.size_bytes() == b.size_bytes() &&
         std::memcmp(a.bytes().data(), b.bytes().data(), a.size_bytes()) == 0;
}

}  // namespace

std::vector<std::string> expect_like_reference(const Case& test, double tolerance) {
  const std::vector<ir::Tensor> wanted = ref::run(test.graph, test.inputs);
  std::vector<std::string> kernels;
  for (const Isa isa : usable_isas()) {
    std::vector<ir::Tensor> alone;
    for (const int threads : {1, 2, 3}) {
      ThreadPool pool(threads);
      Program program(test.graph, pool, {isa});
      const std::string what = std::string(ir::text(isa)) + ", " + std::to_string(threads) +
                               " threads, " + program.steps().back().kernel;
      const std::vector<ir::Tensor> got = program.run(test.inputs);
      if (threads == 1) {
        alone = got;
        for (size_t i = 0; i < got.size(); ++i)
          expect_near(test.graph.value(test.graph.outputs[i]), got[i], wanted[i], tolerance, what);
        kernels.clear();
        for (const StepInfo& step : program.steps()) kernels.push_back(step.kernel);
        const std::vector<ir::Tensor> again = program.run(test.inputs);
        for (size_t i = 0; i < got.size(); ++i)
          EXPECT_TRUE(same_bits(got[i], again[i])) << what << ": a second run differs";
        continue;
      }
      for (size_t i = 0; i < got.size(); ++i)
        EXPECT_TRUE(same_bits(got[i], alone[i])) << what << ": differs from one thread";
    }
  }
  return kernels;
}

}  // namespace dlaexec::cpu::test
