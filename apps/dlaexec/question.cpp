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

namespace dlaexec::cli {
namespace {

std::string inspect(const std::string& path, bool as_json) {
  return in_context([&] { return format("reading the plan '{}'", path); },
                    [&] {
                      const MappedFile file(path);
                      const plan::Header header = plan::read_header(file.bytes());
                      const plan::Plan plan =
                          plan::from_bytes(file.bytes(), file.owner(), plan::Check::Structure);
                      return as_json ? plan::list_json(plan, header) : plan::list(plan, header);
                    });
}

std::string plan_version(const Settings& settings) {
  if (!settings.given(Flag::loadEngine))
    fail(Fault::Usage, "--getPlanVersionOnly needs a plan: give --loadEngine=PLAN");
  const plan::Plan plan = plan::load(settings.text(Flag::loadEngine), plan::Check::Structure);
  return format("Plan was created with dlaexec version {}\n", plan.metadata.tool_version);
}

/// --listDlaRules[=json]
std::string list_rules(const std::string& form, bool as_json) {
  if (!form.empty() && form != "json")
    fail(Fault::Usage, "--listDlaRules is '{}'; give json, or the flag alone", form);
  return as_json || form == "json" ? dla::rules_json() : dla::rules_text();
}

}  // namespace

std::optional<std::string> answer(const Settings& settings) {
  const bool as_json = settings.on(Flag::json);
  if (settings.given(Flag::help)) {
    const std::string topic = settings.text(Flag::help);
    return help(topic.empty() && as_json ? "json" : topic);
  }
  if (settings.on(Flag::version)) return as_json ? version_json() : version_text();
  if (settings.on(Flag::listPlatforms))
    return as_json ? dla::platforms_json() : dla::platforms_text();
  if (settings.given(Flag::listDlaRules))
    return list_rules(settings.text(Flag::listDlaRules), as_json);
  if (settings.given(Flag::dumpConfig)) {
    write_file(settings.text(Flag::dumpConfig), config_json(settings));
    return "";
  }
  if (settings.given(Flag::completion)) return completion(settings.text(Flag::completion));
  if (settings.on(Flag::manPage)) return man_page();
  if (settings.given(Flag::inspect)) return inspect(settings.text(Flag::inspect), as_json);
  if (settings.on(Flag::getPlanVersionOnly)) return plan_version(settings);
  return std::nullopt;
}

}  // namespace dlaexec::cli
