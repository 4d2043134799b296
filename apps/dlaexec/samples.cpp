#include "samples.h"

#include <algorithm>
#include <memory>

#include "accuracy/calibrate.h"
#include "base/error.h"
#include "base/log.h"
#include "calibration.h"
#include "run/inputs.h"

namespace dlaexec::cli {
namespace {

using accuracy::Dataset;
using accuracy::Peer;

/// How many samples go through the network at once.
size_t batch_of(const ir::Graph& network) {
  const ir::Shape& shape = network.value(network.inputs[0]).shape;
  return static_cast<size_t>(shape.empty() ? 1 : shape[0].value);
}

Samples samples_of_data(const std::string& path, const ir::Graph& network,
                        const Settings& settings) {
  auto data = std::make_shared<Dataset>(path, accuracy::feeds_of(network), preprocess_of(settings));
  const size_t batch = batch_of(network);
  const auto wanted = static_cast<size_t>(settings.integer(Flag::compareSamples));
  const size_t batches = std::min(data->size() / batch, std::max<size_t>(1, wanted / batch));
  if (batches == 0)
    fail("'{}' has {} samples, which do not fill one batch of {}", path, data->size(), batch);
  return {format("'{}'", path), batches,
          [data, batch](size_t index) { return data->load_batch(index * batch, batch); }};
}

Samples random_samples(const ir::Graph& network, const Settings& settings) {
  log::warning(
      "--compareTo without --compareData, --validate or --calibData: random inputs, which say "
      "little of INT8 "
      "on data");
  const auto seed = static_cast<uint32_t>(settings.integer(Flag::seed));
  return {
      "random inputs", 1, [&network, seed](size_t index) {
        std::vector<ir::Tensor> inputs;
        for (const ir::ValueId id : network.inputs) {
          inputs.push_back(run::random_input_for(network, id, ir::dims_of(network.value(id).shape),
                                                 seed + static_cast<uint32_t>(index)));
        }
        return inputs;
      }};
}

/// The scores of the network's first output.
accuracy::Classify classifier(Peer& peer, const ir::Graph& network) {
  const std::string output = network.value(network.outputs[0]).name;
  return [&peer, output](const std::vector<ir::Tensor>& inputs) {
    return peer.run(inputs).at(output);
  };
}

}  // namespace

Samples samples_for(const ir::Graph& network, const Settings& settings) {
  for (const Flag flag : {Flag::compareData, Flag::validate, Flag::calibData})
    if (settings.given(flag)) return samples_of_data(settings.text(flag), network, settings);
  return random_samples(network, settings);
}

accuracy::Validation classify(const Dataset& data, Peer& peer, const ir::Graph& network) {
  return accuracy::validate(data, batch_of(network), classifier(peer, network));
}

}  // namespace dlaexec::cli
