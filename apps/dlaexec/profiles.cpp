#include "profiles.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/log.h"
#include "grammar.h"

namespace dlaexec::cli {
namespace {

const ir::Dims* find_dims(const std::vector<NamedDims>& shapes, const std::string& name) {
  for (const NamedDims& shape : shapes)
    if (shape.name == name) return &shape.dims;
  return nullptr;
}

/// The first of @p choices that names the input; warns when it is not the first choice.
ir::Dims broadcast(const std::string& input,
                   std::initializer_list<std::pair<const char*, const ir::Dims*>> choices) {
  for (const auto& [flag, dims] : choices) {
    if (dims == nullptr) continue;
    if (flag != choices.begin()->first)
      log::warning("{} is being broadcasted to {} for tensor {}", flag, choices.begin()->first,
                   input);
    return *dims;
  }
  __builtin_unreachable();
}

/// One of the three flags, by profile.
std::map<int64_t, std::vector<NamedDims>> read(const Settings& settings, Flag flag) {
  std::map<int64_t, std::vector<NamedDims>> shapes;
  for (const auto& [profile, text] : settings.by_group(flag))
    shapes[profile] = parse_shapes(text, spelling(flag));
  return shapes;
}

/// The shapes of one profile.
std::vector<build::InputShape> joined(int profile, const std::vector<NamedDims>& min,
                                      const std::vector<NamedDims>& opt,
                                      const std::vector<NamedDims>& max) {
  std::vector<std::string> names;
  for (const auto* list : {&min, &opt, &max})
    for (const NamedDims& shape : *list)
      if (std::find(names.begin(), names.end(), shape.name) == names.end())
        names.push_back(shape.name);
  std::vector<build::InputShape> shapes;
  for (const std::string& name : names) {
    const std::pair low("minShapes", find_dims(min, name)),
        middle("optShapes", find_dims(opt, name)), high("maxShapes", find_dims(max, name));
    shapes.push_back({name, broadcast(name, {low, middle, high}),
                      broadcast(name, {middle, high, low}), broadcast(name, {high, middle, low}),
                      profile});
  }
  return shapes;
}

}  // namespace

std::vector<build::InputShape> build_shapes(const Settings& settings) {
  auto min = read(settings, Flag::minShapes), opt = read(settings, Flag::optShapes),
       max = read(settings, Flag::maxShapes);
  std::vector<build::InputShape> shapes;
  if (min.empty() && opt.empty() && max.empty()) {
    for (const NamedDims& shape : parse_shapes(settings.text(Flag::shapes), "--shapes"))
      shapes.push_back({shape.name, shape.dims, shape.dims, shape.dims});
    return shapes;
  }
  constexpr int64_t kMostProfiles = 256;
  std::map<int64_t, bool> profiles;
  for (const auto* flag : {&min, &opt, &max})
    for (const auto& [profile, unused] : *flag) profiles[profile] = true;
  for (const auto& [profile, unused] : profiles) {
    if (profile >= kMostProfiles)
      fail(Fault::Usage, "--profile is {}; give numbers below {}", profile, kMostProfiles);
    for (auto& shape : joined(static_cast<int>(profile), min[profile], opt[profile], max[profile]))
      shapes.push_back(std::move(shape));
  }
  return shapes;
}

}  // namespace dlaexec::cli
