#include "jetson.h"

#include "base/log.h"

namespace dlaexec::cli {

Settings with_jetson(Settings settings, const std::optional<dla::Jetson>& jetson) {
  const bool loads = settings.given(Flag::loadEngine) || settings.given(Flag::runLoadable);
  if (!jetson || loads || settings.given(Flag::platform)) return settings;
  log::info("Running on {} ({}): --platform={} is modelled, unless you name another", jetson->model,
            jetson->module, jetson->platform);
  settings.add({Flag::platform, std::string(jetson->platform), Source::Table});
  return settings;
}

}  // namespace dlaexec::cli
