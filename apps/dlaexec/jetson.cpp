#include "jetson.h"

#include "base/format.h"
#include "base/log.h"
#include "dla/platform.h"

namespace dlaexec::cli {

Settings with_jetson(Settings settings, const std::optional<dla::Jetson>& jetson) {
  const bool loads = settings.given(Flag::loadEngine) || settings.given(Flag::runLoadable);
  if (!jetson || loads || settings.given(Flag::platform)) return settings;
  const std::string board =
      format("{} ({})", jetson->model.empty() ? "a Jetson" : jetson->model.c_str(), jetson->module);
  if (dla::platform(jetson->platform).dla_cores == 0) {
    log::info("Running on {}, which has no DLA: --platform={} is modelled, unless you name another",
              board, settings.text(Flag::platform));
    return settings;
  }
  log::info("Running on {}: --platform={} is modelled, unless you name another", board,
            jetson->platform);
  settings.add({Flag::platform, std::string(jetson->platform), Source::Table});
  return settings;
}

}  // namespace dlaexec::cli
