/// The header of a mail, or of one of its parts (RFC 5322, 2.2): fields in their order, unfolded, not decoded.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace holdfast::lmtp {

/// What a foreign mail may make us hold. Beyond a bound the mail is refused; nothing is left out silently.
struct HeaderBounds {
  std::size_t header_bytes_max = 128 << 10;  ///< of one header
  std::size_t fields_max = 1'000;            ///< in one header
};

/// A value; owns its text. Lines that are no field are passed over, as mail readers do.
class HeaderFields {
 public:
  struct Field {
    std::string name;   ///< in lower case
    std::string value;  ///< without blanks around it, folded lines joined
  };

  /// The value of the first field of that name (in lower case), or empty.
  std::string_view first(std::string_view name) const;
  bool has(std::string_view name) const;
  std::size_t count(std::string_view name) const;
  const std::vector<Field>& all() const { return fields_; }

 private:
  friend Result<struct HeaderAndBody> split_header(std::string_view message, const HeaderBounds& bounds);
  void add_line(std::string_view line);
  std::vector<Field> fields_;
  bool continues_ = false;  ///< whether a folded line belongs to a field
};

struct HeaderAndBody {
  HeaderFields header;
  std::string_view body;  ///< lies in the message
};

/// Cuts a message, or a part of one, at the first empty line. Without one all of it is header. Fails with too_large, and
/// says which bound.
Result<HeaderAndBody> split_header(std::string_view message, const HeaderBounds& bounds);

}  // namespace holdfast::lmtp
