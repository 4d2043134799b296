// Small ONNX files made in memory.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "dlaexec_onnx.pb.h"
#include "ir/tensor.h"

namespace dlaexec::test {

/// Adds to a model step by step; bytes() is the file.
class OnnxModel {
 public:
  explicit OnnxModel(int64_t opset = 17) {
    model_.set_ir_version(8);
    add_opset("", opset);
    graph()->set_name("test");
  }

  void add_opset(const std::string& domain, int64_t version) {
    auto* entry = model_.add_opset_import();
    entry->set_domain(domain);
    entry->set_version(version);
  }
  /// @p dims: numbers or names.
  void add_input(const std::string& name, const std::vector<std::string>& dims, int type = 1) {
    describe(graph()->add_input(), name, dims, type);
  }
  void add_output(const std::string& name) { describe(graph()->add_output(), name, {}, 1); }
  onnx_file::TensorProto* add_initializer(const std::string& name, const ir::Dims& dims,
                                          const std::vector<float>& elements) {
    auto* tensor = graph()->add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(onnx_file::TensorProto::FLOAT);
    for (const int64_t dim : dims) tensor->add_dims(dim);
    for (const float element : elements) tensor->add_float_data(element);
    return tensor;
  }
  onnx_file::NodeProto* add_node(const std::string& op, const std::vector<std::string>& inputs,
                                 const std::vector<std::string>& outputs,
                                 const std::string& name = "") {
    return fill(graph()->add_node(), op, inputs, outputs, name);
  }
  static onnx_file::NodeProto* fill(onnx_file::NodeProto* node, const std::string& op,
                                    const std::vector<std::string>& inputs,
                                    const std::vector<std::string>& outputs,
                                    const std::string& name) {
    node->set_op_type(op);
    node->set_name(name);
    for (const std::string& input : inputs) node->add_input(input);
    for (const std::string& output : outputs) node->add_output(output);
    return node;
  }
  static void set(onnx_file::NodeProto* node, const std::string& name, int64_t value) {
    auto* attribute = add_attribute(node, name, onnx_file::AttributeProto::INT);
    attribute->set_i(value);
  }
  static void set(onnx_file::NodeProto* node, const std::string& name,
                  const std::vector<int64_t>& values) {
    auto* attribute = add_attribute(node, name, onnx_file::AttributeProto::INTS);
    for (const int64_t value : values) attribute->add_ints(value);
  }
  static onnx_file::AttributeProto* add_attribute(onnx_file::NodeProto* node,
                                                  const std::string& name,
                                                  onnx_file::AttributeProto::AttributeType type) {
    auto* attribute = node->add_attribute();
    attribute->set_name(name);
    attribute->set_type(type);
    return attribute;
  }

  onnx_file::ModelProto& model() { return model_; }
  onnx_file::GraphProto* graph() { return model_.mutable_graph(); }
  std::string bytes() const { return model_.SerializeAsString(); }

 private:
  static void describe(onnx_file::ValueInfoProto* info, const std::string& name,
                       const std::vector<std::string>& dims, int type) {
    info->set_name(name);
    auto* tensor = info->mutable_type()->mutable_tensor_type();
    tensor->set_elem_type(type);
    for (const std::string& dim : dims) {
      auto* entry = tensor->mutable_shape()->add_dim();
      if (dim.find_first_not_of("0123456789") == std::string::npos)
        entry->set_dim_value(std::stoll(dim));
      else
        entry->set_dim_param(dim);
    }
  }

  onnx_file::ModelProto model_;
};

}  // namespace dlaexec::test
