// Models of com.microsoft's operators beside the standard ones that they stand for.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnx/import.h"
#include "ref/evaluate.h"
#include "support/onnx_model.h"

namespace dlaexec::onnx {
using onnx_file::AttributeProto;
using onnx_file::NodeProto;
using onnx_file::TensorProto;
using test::OnnxModel;

inline std::vector<float> numbers(size_t count, int seed) {
  std::vector<float> elements(count);
  for (size_t i = 0; i < count; ++i)
    elements[i] = static_cast<float>((static_cast<int>(i) * 37 + seed * 11) % 29 - 14) / 7.0f;
  return elements;
}

/// A model of the operators' domain, to which both sides of a comparison add their nodes.
struct ContribModel : OnnxModel {
  ContribModel() : OnnxModel(23) { add_opset("com.microsoft", 1); }

  NodeProto* contrib(const std::string& op, const std::vector<std::string>& inputs,
                     const std::vector<std::string>& outputs) {
    NodeProto* node = add_node(op, inputs, outputs, op);
    node->set_domain("com.microsoft");
    return node;
  }
  /// Floats of @p dims made from @p seed.
  void reals(const std::string& name, const ir::Dims& dims, int seed) {
    add_initializer(name, dims, numbers(static_cast<size_t>(ir::volume(dims)), seed));
  }
  void scalar(const std::string& name, float value) { add_initializer(name, {}, {value}); }
  void indices(const std::string& name, const std::vector<int64_t>& elements) {
    TensorProto* tensor = add_initializer(name, {std::ssize(elements)}, {});
    tensor->set_data_type(TensorProto::INT64);
    for (const int64_t element : elements) tensor->add_int64_data(element);
  }
  /// Integers of a type, counting in steps of 29 from @p first, within [low, low + span).
  void integers(const std::string& name, int type, const ir::Dims& dims, int first, int low,
                int span) {
    TensorProto* tensor = add_initializer(name, dims, {});
    tensor->set_data_type(type);
    for (int64_t i = 0; i < ir::volume(dims); ++i)
      tensor->add_int32_data(low + (first + static_cast<int>(i) * 29) % span);
  }
};

inline void set_text(NodeProto* node, const std::string& name, const std::string& value) {
  OnnxModel::add_attribute(node, name, AttributeProto::STRING)->set_s(value);
}

inline void set_real(NodeProto* node, const std::string& name, float value) {
  OnnxModel::add_attribute(node, name, AttributeProto::FLOAT)->set_f(value);
}

/// Runs @p model, whose output 0 stands for the other.
inline void expect_equal_outputs(const ContribModel& model, float tolerance = 1e-5f) {
  const ir::Graph graph = import_bytes(model.bytes(), "/nonexistent").graph;
  const ref::Tensors outputs = ref::run(graph, {});
  ASSERT_EQ(outputs.size() % 2, 0u);
  for (size_t i = 0; i < outputs.size(); i += 2) {
    EXPECT_EQ(outputs[i].dims(), outputs[i + 1].dims());
    EXPECT_THAT(outputs[i].to_floats(),
                testing::Pointwise(testing::FloatNear(tolerance), outputs[i + 1].to_floats()));
  }
}

}  // namespace dlaexec::onnx
