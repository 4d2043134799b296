#include "support/json_schema.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <regex>

namespace dlaexec::test {
namespace {

using nlohmann::json;

bool has_type(const json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  if (type == "boolean") return value.is_boolean();
  return type == "null" && value.is_null();
}

bool has_any_type(const json& value, const json& types) {
  if (types.is_string()) return has_type(value, types);
  return std::any_of(types.begin(), types.end(), [&](const json& t) { return has_type(value, t); });
}

class Validator {
 public:
  explicit Validator(const json& root) : root_(root) {}

  void check(const json& value, const json& schema, const std::string& path) {
    for (const auto& [keyword, rule] : schema.items())
      check_keyword(value, schema, keyword, rule, path);
  }

  std::vector<std::string> found;

 private:
  void complain(const std::string& path, const std::string& what) {
    found.push_back((path.empty() ? "/" : path) + ": " + what);
  }

  void check_keyword(const json& value, const json& schema, const std::string& keyword,
                     const json& rule, const std::string& path) {
    if (keyword == "$schema" || keyword == "title" || keyword == "description" ||
        keyword == "definitions")
      return;
    if (keyword == "$ref") {
      check(value, root_.at(json::json_pointer(rule.get<std::string>().substr(1))), path);
    } else if (keyword == "type") {
      if (!has_any_type(value, rule)) complain(path, "is no " + rule.dump());
    } else if (keyword == "const") {
      if (value != rule) complain(path, "is not " + rule.dump());
    } else if (keyword == "enum") {
      if (std::find(rule.begin(), rule.end(), value) == rule.end())
        complain(path, value.dump() + " is none of " + rule.dump());
    } else if (keyword == "minimum") {
      if (value.is_number() && value < rule) complain(path, "is below " + rule.dump());
    } else if (keyword == "maximum") {
      if (value.is_number() && value > rule) complain(path, "is above " + rule.dump());
    } else if (keyword == "pattern") {
      const std::regex pattern(rule.get<std::string>());
      if (value.is_string() && !std::regex_search(value.get<std::string>(), pattern))
        complain(path, "does not match " + rule.dump());
    } else if (keyword == "minItems") {
      if (value.is_array() && value.size() < rule) complain(path, "has too few items");
    } else if (keyword == "items") {
      for (size_t i = 0; value.is_array() && i < value.size(); ++i)
        check(value[i], rule, path + "/" + std::to_string(i));
    } else {
      check_object_keyword(value, schema, keyword, rule, path);
    }
  }

  void check_object_keyword(const json& value, const json& schema, const std::string& keyword,
                            const json& rule, const std::string& path) {
    if (keyword == "required") {
      for (const json& key : rule)
        if (value.is_object() && !value.contains(key)) complain(path, "lacks " + key.dump());
    } else if (keyword == "properties") {
      for (const auto& [key, member] : rule.items())
        if (value.is_object() && value.contains(key)) check(value[key], member, path + "/" + key);
    } else if (keyword == "additionalProperties") {
      check_additional(value, schema, rule, path);
    } else if (keyword == "propertyNames") {
      for (const auto& [key, member] : value.items()) check(key, rule, path + "/" + key);
    } else if (keyword == "dependencies") {
      for (const auto& [key, others] : rule.items())
        for (const json& other : others)
          if (value.contains(key) && !value.contains(other))
            complain(path, "has " + key + " but lacks " + other.dump());
    } else {
      complain(path, "the validator does not know the keyword " + keyword);
    }
  }

  void check_additional(const json& value, const json& schema, const json& rule,
                        const std::string& path) {
    if (!value.is_object()) return;
    for (const auto& [key, member] : value.items()) {
      if (schema.contains("properties") && schema["properties"].contains(key)) continue;
      if (rule.is_boolean()) {
        if (!rule.get<bool>()) complain(path, "has the unknown member " + key);
      } else {
        check(member, rule, path + "/" + key);
      }
    }
  }

  const json& root_;
};

}  // namespace

std::vector<std::string> violations(const json& document, const json& schema) {
  Validator validator(schema);
  validator.check(document, schema, "");
  return std::move(validator.found);
}

}  // namespace dlaexec::test
