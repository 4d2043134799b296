#include "tune/decisions.h"

#include "base/hash.h"

namespace dlaexec::tune {

std::string device_key(const gpu::Target& target, const gpu::Libraries& libraries) {
  std::string key =
      format("{} {} {} MPs", target.name, target.architecture_name(), target.multiprocessors);
  for (const auto& library : libraries) key += " + " + library->name();
  return key;
}

std::string network_key(std::span<const gpu::Lowered> apart) {
  std::string problems;
  for (const gpu::Lowered& lowered : apart)
    for (const gpu::Choice& choice : lowered.choices) problems += choice.problem + "\n";
  return hash128_hex(problems).substr(0, 16);
}

std::string in_network(const std::string& network, const std::string& problem) {
  return format("in network {}: {}", network, problem);
}

gpu::LowerOptions options_from(const TimingCache& cache, const std::string& device,
                               const std::string& network) {
  gpu::LowerOptions options;
  options.choose = [&cache, device, network](const std::string& problem,
                                             const std::vector<std::string>&) {
    const Decision* known =
        network.empty() ? nullptr : cache.find(device, in_network(network, problem));
    if (!known) known = cache.find(device, problem);
    return known ? known->tactic : std::string();
  };
  return options;
}

}  // namespace dlaexec::tune
