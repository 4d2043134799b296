// The layers of an engine, as TensorRT's inspector tells them.
#pragma once

#include <string>

#include "plan/plan.h"

namespace dlaexec::report {

/// How much a plan tells of its layers; chosen when it is built.
enum class Verbosity : uint8_t { LayerNamesOnly, None, Detailed };

/// The verbosity that @p plan was built with, kept among its settings.
Verbosity verbosity_of(const plan::Plan& plan);
inline constexpr std::string_view kVerbositySetting = "profilingVerbosity";

/// --exportLayerInfo: an object with "Layers" and "Bindings"; one entry per step, in the order and
/// under the names of the profile.
std::string layer_info_json(const plan::Plan& plan);

/// --dumpLayerInfo: one line per layer, to the log.
void print_layer_info(const plan::Plan& plan);

/// A tensor's type and layout in the words that TREx knows: "Row major linear FP32".
std::string format_text(const ir::Value& value);

}  // namespace dlaexec::report

DLAEXEC_ENUM_TEXT(dlaexec::report::Verbosity, "layer_names_only", "none", "detailed");
