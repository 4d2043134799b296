#include "api/convert.h"
#include "api/layers.h"

namespace dlaexec::api {

ir::Node& Layer::node() const {
  DLAEXEC_CHECK(!nodes_.empty());
  return network_.graph().nodes[static_cast<size_t>(nodes_.back())];
}

bool Layer::fits_dla(const dla::Target& target) const {
  const ir::Graph& graph = network_.inferred();
  return std::none_of(nodes_.begin(), nodes_.end(), [&](int node) {
    return ir::refuses(dla::check(graph, graph.nodes[static_cast<size_t>(node)], target));
  });
}

void Layer::changed() const { network_.changed(); }

void Layer::setName(const char* name) noexcept {
  node().name = name ? name : "";
  node().origins = {node().name};
}

const char* Layer::getName() const noexcept { return node().name.c_str(); }

int32_t Layer::getNbInputs() const noexcept {
  const ir::Graph& graph = network_.graph();
  int32_t count = 0;
  for (const ir::ValueId id : graph.nodes[static_cast<size_t>(nodes_.front())].inputs)
    if (id != ir::kNoValue && !graph.value(id).constant) ++count;
  return count;
}

ITensor* Layer::getInput(int32_t index) const noexcept {
  const ir::Graph& graph = network_.graph();
  for (const ir::ValueId id : graph.nodes[static_cast<size_t>(nodes_.front())].inputs)
    if (id != ir::kNoValue && !graph.value(id).constant && index-- == 0) return network_.tensor(id);
  return nullptr;
}

int32_t Layer::getNbOutputs() const noexcept { return static_cast<int32_t>(node().outputs.size()); }

ITensor* Layer::getOutput(int32_t index) const noexcept {
  if (index < 0 || index >= getNbOutputs()) return nullptr;
  return network_.tensor(node().outputs[static_cast<size_t>(index)]);
}

void Layer::setPrecision(DataType type) noexcept {
  succeeds(network_.logger(), [&] { precision_ = to_ir(type); });
}

DataType Layer::getPrecision() const noexcept {
  return precision_ ? to_api(*precision_) : DataType::kFLOAT;
}

void Layer::setOutputType(int32_t index, DataType type) noexcept {
  succeeds(network_.logger(), [&] {
    if (index < 0 || index >= getNbOutputs())
      fail("setOutputType: layer '{}' has {} outputs, none of index {}", getName(), getNbOutputs(),
           index);
    output_types_[index] = to_ir(type);
  });
}

DataType Layer::getOutputType(int32_t index) const noexcept {
  const auto set = output_types_.find(index);
  if (set != output_types_.end()) return to_api(set->second);
  const ITensor* output = getOutput(index);
  return output == nullptr ? DataType::kFLOAT : output->getType();
}

void ConstantLayer::setName(const char* name) noexcept {
  network_.graph().value(value_).name = name;
}

const char* ConstantLayer::getName() const noexcept {
  return network_.graph().value(value_).name.c_str();
}

ITensor* ConstantLayer::getOutput(int32_t index) const noexcept {
  return index == 0 ? network_.tensor(value_) : nullptr;
}

void ShuffleLayer::setFirstTranspose(Permutation permutation) noexcept {
  ir::Node& first = network_.graph().nodes[static_cast<size_t>(nodes_.front())];
  succeeds(network_.logger(), [&] {
    const int32_t rank = network_.tensor(first.inputs[0])->getDimensions().nbDims;
    ir::TransposeAttributes attributes;
    for (int64_t i = 0; i < network_.hidden_axes(); ++i) attributes.perm.push_back(i);
    for (int32_t i = 0; i < rank; ++i)
      attributes.perm.push_back(permutation.order[i] + network_.hidden_axes());
    first.op = ir::Op::Transpose;
    first.attributes = std::move(attributes);
    changed();
  });
}

void ShuffleLayer::setReshapeDimensions(const Dims& dimensions) noexcept {
  succeeds(network_.logger(), [&] {
    ir::Ints wanted = to_ints(dimensions);
    if (network_.hidden_axes()) wanted.insert(wanted.begin(), 0);
    const auto rank = static_cast<int64_t>(wanted.size());
    const ir::ValueId shape =
        network_.graph().add_constant(node().name + ".shape", ir::Tensor::of({rank}, wanted));
    node().op = ir::Op::Reshape;
    node().attributes = ir::ReshapeAttributes{};
    node().inputs = {node().inputs[0], shape};
    changed();
  });
}

}  // namespace dlaexec::api
