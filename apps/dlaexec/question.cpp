#include "question.h"

#include "base/error.h"
#include "base/file.h"
#include "completion.h"
#include "config.h"
#include "dla/platform.h"
#include "dla/rules.h"
#include "help.h"
#include "man_page.h"
#include "plan/listing.h"
#include "report/dla_operations.h"
#include "report/plan_steps.h"
#include "run/board.h"
#include "version.h"

namespace dlaexec::cli {
namespace {

/// The listing of a plan with what its board makes of each loadable.
std::string list(const plan::Plan& plan, const plan::Header& header, bool as_json) {
  const std::string listing = as_json ? plan::list_json(plan, header)
                                      : plan::list(plan, header) + report::gpu_code_text(plan);
  if (!plan::uses_dla(plan)) return listing;
  const run::Board board = run::board_of(plan.metadata, {});
  if (as_json) return report::with_dla_operations(listing, plan, board);
  return listing + report::dla_operations_text(report::dla_steps(plan, board), board);
}

std::string inspect(const std::string& path, bool as_json) {
  return in_context([&] { return format("reading the plan '{}'", path); },
                    [&] {
                      const MappedFile file(path);
                      const plan::Header header = plan::read_header(file.bytes());
                      const plan::Plan plan =
                          plan::from_bytes(file.bytes(), file.owner(), plan::Check::Structure);
                      return list(plan, header, as_json);
                    });
}

/// Whether a list is wanted as JSON: with --json, or as --listDlaRules=json.
bool as_json(const Settings& settings, Flag flag) {
  const std::string form = settings.text(flag);
  if (!form.empty() && form != "json")
    fail(Fault::Usage, "{} is '{}'; give json, or the flag alone", spelling(flag), form);
  return form == "json" || settings.on(Flag::json);
}

}  // namespace

std::string plan_version(const Settings& settings, Persona persona) {
  if (!settings.given(Flag::loadEngine))
    fail(Fault::Usage, "--getPlanVersionOnly needs a plan: give --loadEngine=PLAN");
  const plan::Plan plan = plan::load(settings.text(Flag::loadEngine), plan::Check::Structure);
  if (persona == Persona::Dlaexec)
    return format("Plan was created with dlaexec version {}", plan.metadata.tool_version);
  return format("Plan was created with TensorRT version {}.0 (dlaexec {})",
                full_name(settings.dialect()), plan.metadata.tool_version);
}

std::optional<std::string> answer(const Settings& settings) {
  const bool json = settings.on(Flag::json);
  if (settings.given(Flag::help)) {
    const std::string topic = settings.text(Flag::help);
    return help(topic.empty() && json ? "json" : topic);
  }
  if (settings.on(Flag::version)) return json ? version_json() : version_text();
  if (settings.given(Flag::listPlatforms))
    return as_json(settings, Flag::listPlatforms) ? dla::platforms_json() : dla::platforms_text();
  if (settings.given(Flag::listDlaRules))
    return as_json(settings, Flag::listDlaRules) ? dla::rules_json() : dla::rules_text();
  if (settings.given(Flag::dumpConfig)) {
    write_file(settings.text(Flag::dumpConfig), config_json(settings));
    return "";
  }
  if (settings.given(Flag::completion)) return completion(settings.text(Flag::completion));
  if (settings.on(Flag::manPage)) return man_page();
  if (settings.given(Flag::inspect)) return inspect(settings.text(Flag::inspect), json);
  return std::nullopt;
}

}  // namespace dlaexec::cli
