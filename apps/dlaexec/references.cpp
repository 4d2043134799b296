#include "references.h"

#include <algorithm>
#include <cctype>

#include "base/log.h"
#include "dla/platform.h"
#include "inference.h"
#include "report/text.h"
#include "run/inputs.h"

namespace dlaexec::cli {
namespace {

std::vector<ReferencePair> pairs_of(const Settings& settings) {
  const auto inputs = settings.by_group(Flag::loadInputs);
  const auto outputs = settings.by_group(Flag::loadRefOutputs);
  std::vector<ReferencePair> pairs;
  for (const auto& [group, text] : outputs) {
    const auto fed = inputs.find(group);
    if (settings.given(Flag::refPair) && fed == inputs.end())
      fail(Fault::Usage, "--refPair={} has --loadRefOutputs and no --loadInputs", group);
    pairs.push_back({fed == inputs.end() ? std::vector<NamedFile>{} : named_files(fed->second),
                     named_files(text)});
  }
  if (!settings.given(Flag::refPair)) return pairs;
  for (const auto& [group, text] : inputs)
    if (!outputs.contains(group))
      fail(Fault::Usage, "--refPair={} has --loadInputs and no --loadRefOutputs", group);
  if (pairs.size() < 2)
    fail(Fault::Usage, "--refPair numbers two pairs or more; leave it out for one");
  return pairs;
}

void require_sense(const Settings& settings, const References& references) {
  if (!(references.threshold > 0))
    fail(Fault::Usage,
         "--loadRefOutputs needs a loss to fail at: give --accuracyThreshold=X above 0");
  for (const Flag flag : {Flag::atol, Flag::rtol})
    if (settings.given(flag) && references.loss != accuracy::Loss::L0)
      fail(Fault::Usage, "{} belongs to --accuracyAlgorithm=l0, not {}", spelling(flag),
           ir::text(references.loss));
  if (settings.on(Flag::skipInference))
    fail(Fault::Usage, "--skipInference computes no outputs to compare with --loadRefOutputs");
  if (settings.on(Flag::dlaTimingOnly))
    fail(Fault::Usage, "--dlaTimingOnly computes no outputs to compare with --loadRefOutputs");
  if (settings.given(Flag::onnx))
    log::warning(
        "--loadRefOutputs with --onnx compares a fresh build, whose tactics may differ from time "
        "to time; --loadEngine compares one plan");
}

const report::NamedTensor& output_named(const std::vector<report::NamedTensor>& outputs,
                                        const std::string& name) {
  const auto found = std::find_if(outputs.begin(), outputs.end(),
                                  [&](const auto& output) { return output.name == name; });
  if (found == outputs.end())
    fail("--loadRefOutputs names output '{}'; the outputs are {}", name,
         join(outputs, ", ", [](const auto& output) { return "'" + output.name + "'"; }));
  return *found;
}

ir::Tensor read_reference(const NamedFile& file, const report::NamedTensor& output,
                          const run::Engine& engine) {
  for (const run::Binding& binding : engine.outputs())
    if (binding.name == output.name)
      return in_context([&] { return format("loading the reference of output '{}'", file.name); },
                        [&] {
                          return run::load_input(
                              file.path, binding, output.tensor.dims(),
                              dla::platform(engine.plan().metadata.platform).generation);
                        });
  __builtin_unreachable();
}

std::string upper(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return result;
}

report::Gate gate_of(const std::string& tensor, double loss, const References& references) {
  const bool failed = !(loss < references.threshold);
  const auto shown = [](double value) { return report::number(static_cast<float>(value)); };
  const std::string sentence = format("Accuracy loss for tensor {} ({}): {} [{} threshold {}]",
                                      tensor, upper(ir::text(references.loss)), shown(loss),
                                      failed ? "FAIL: >=" : "PASS: <", shown(references.threshold));
  report::Gate gate{"accuracy.reference", report::Outcome::Passed, sentence, {}};
  if (!failed) return gate;
  gate.outcome = report::Outcome::Failed;
  gate.culprits = {format("Accuracy validation FAILED: tensor {}", tensor)};
  return gate;
}

}  // namespace

References references_of(const Settings& settings) {
  References references;
  references.pairs = pairs_of(settings);
  references.loss = ir::parse_enum<accuracy::Loss>(settings.text(Flag::accuracyAlgorithm)).value();
  references.tolerances = {settings.real(Flag::atol), settings.real(Flag::rtol)};
  references.threshold = settings.real(Flag::accuracyThreshold);
  if (!references.pairs.empty()) require_sense(settings, references);
  return references;
}

Gates reference_gates(const References& references, Inference& inference) {
  Gates gates;
  for (const ReferencePair& pair : references.pairs) {
    const std::vector<report::NamedTensor> outputs = inference.evaluate(pair.inputs);
    for (const NamedFile& file : pair.outputs) {
      const report::NamedTensor& output = output_named(outputs, file.name);
      const ir::Tensor reference = read_reference(file, output, inference.engine());
      gates.push_back(
          gate_of(file.name,
                  accuracy::loss(output.tensor, reference, references.loss, references.tolerances),
                  references));
      log::info("{}", gates.back().sentence);
    }
  }
  return gates;
}

}  // namespace dlaexec::cli
