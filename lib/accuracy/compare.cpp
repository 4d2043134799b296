#include "accuracy/compare.h"

#include <map>
#include <unordered_map>

namespace dlaexec::accuracy {
namespace {

std::optional<size_t> first_bad(const std::vector<TensorDifference>& tensors) {
  for (size_t i = 0; i < tensors.size(); ++i)
    if (tensors[i].difference.snr_db < kGoodSnr || tensors[i].difference.not_finite > 0) return i;
  return std::nullopt;
}

}  // namespace

Comparison compare(Peer& plan, Peer& peer, const BuildRecord& record, Sight sight, size_t count,
                   const SampleSource& sample) {
  std::unordered_map<std::string, DifferenceSum> sums;
  for (size_t i = 0; i < count; ++i) {
    const std::vector<ir::Tensor> inputs = sample(i);
    const NamedTensors found = plan.run(inputs), expected = peer.run(inputs);
    for (const auto& [name, tensor] : found)
      if (const auto at = expected.find(name); at != expected.end())
        sums[name].add(tensor.reshaped(at->second.dims()), at->second);
  }
  Comparison result;
  result.samples = count;
  for (const ir::ValueId id : record.network.outputs) {
    const std::string& name = record.network.value(id).name;
    if (sums.contains(name)) result.outputs.push_back({name, "", sums[name].total()});
  }
  if (result.outputs.empty())
    fail("plan and peer have no output of the same name; compare engines of one network");
  if (sight == Sight::Outputs) return result;
  for (const MadeTensor& tensor : record.made)
    if (const auto sum = sums.find(tensor.name); sum != sums.end())
      result.layers.push_back({tensor.name, tensor.layers, sum->second.total()});
  result.first_bad = first_bad(result.layers);
  return result;
}

}  // namespace dlaexec::accuracy
