// How facts and tests read a layer; shared by the files of facts.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "dla/layer_facts.h"

namespace dlaexec::dla {

using Values = std::vector<double>;
/// What was found when a layer breaks a rule.
using Breach = std::optional<std::string>;

/// The layer's attributes if they are of type T.
template <class T>
const T* attributes_of(const ir::Layer& layer) {
  return std::get_if<T>(&layer.node.attributes);
}

/// The value of an input, or null when it is absent.
const ir::Value* input_value(const ir::Layer& layer, size_t index);
/// The dimensions of an input, and of the first output; empty when absent or not static.
ir::Dims input_dims(const ir::Layer& layer, size_t index);
ir::Dims output_dims(const ir::Layer& layer);
/// The tensors that flow through the layer: data inputs, then outputs.
std::vector<ir::ValueId> tensors(const ir::Layer& layer);

inline Values to_values(const ir::Ints& ints) { return Values(ints.begin(), ints.end()); }

/// "FP16", as users write precisions.
std::string precision_text(ir::DataType type);
std::string upper(std::string_view name);

/// Equal, Greater or Less of two tensors.
bool is_comparison(const ir::Node& node);
/// The node that makes a value, or null for inputs and constants.
const ir::Node* producer(const ir::Graph& graph, ir::ValueId id);
bool uses_value(const ir::Node& node, ir::ValueId id);

/// "axis 0" when an axis is the batch.
Breach axis_of_batch(int64_t axis);
/// The first input from @p first on that is not constant.
Breach variable_input(const ir::Layer& layer, size_t first, size_t last);

}  // namespace dlaexec::dla
