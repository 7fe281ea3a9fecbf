/// A header value with parameters (RFC 2045, 5.1): `text/plain; charset="utf-8"; format=flowed`.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::lmtp {

/// A value. Never fails: what can't be read is not there.
struct ParameterizedValue {
  std::string value;                                            ///< in lower case
  std::vector<std::pair<std::string, std::string>> parameters;  ///< names in lower case, values as they stand

  /// Empty if there is none of that name (in lower case). Values in pieces (`boundary*0`, `boundary*1`: RFC 2231, 3)
  /// are joined. Values in a charset of their own (RFC 2231, 4) are left as they are: none that we ask for is one.
  std::string parameter(std::string_view name) const;
};

/// Comments are passed over, quoted values unquoted. At most 100 parameters; what stands behind is not read.
ParameterizedValue parse_parameterized(std::string_view text);

/// What a Content-Type says; text/plain if it is missing or no type at all (RFC 2045, 5.2).
ParameterizedValue parse_content_type(std::string_view text);

}  // namespace holdfast::lmtp
