/// The table of configuration keys: what each is called, what it may be, and which field of Config it sets.
#pragma once

#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "server/config.h"

namespace holdfast {

/// A value as it stands in the file.
using ConfigValue = std::variant<bool, std::int64_t, std::string>;

struct ConfigKey {
  std::string section;  ///< empty: top level
  std::string name;     ///< ends with its unit, where it has one
  std::string allowed;  ///< "1 to 1024", for errors and documentation
  std::string doc;      ///< a sentence or two
  /// The field's present value as TOML.
  std::function<std::string(const Config&)> show;
  /// Fails with invalid_argument if the value is not allowed; changes nothing then.
  std::function<Status(Config&, const ConfigValue&)> set;

  std::string full_name() const { return section.empty() ? name : section + "." + name; }
};

struct ConfigSection {
  std::string name;
  std::string doc;
};

/// In the order of the documentation.
const std::vector<ConfigSection>& config_sections();
const std::vector<ConfigKey>& config_keys();
/// Null if there is none.
const ConfigKey* find_config_key(std::string_view section, std::string_view name);

}  // namespace holdfast
