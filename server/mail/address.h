/// A mail address that can stand in an SMTP command and in a header as it is.
///
///   address = local "@" domain              at most 254 bytes (RFC 5321, 4.5.3.1.3 and RFC 3696's erratum 1690)
///   local   = atom *("." atom)              at most 64 bytes; RFC 5322's dot-atom, no quoting, no comments
///   domain  = label *("." label)            at most 253 bytes; label: 1 to 63 letters, digits and inner hyphens
///
/// Everything else RFC 5321 knows is refused: quoted local parts, address literals, source routes, UTF-8 (SMTPUTF8).
/// What is left has no blank, no control character and none of `<>,;:"`, so nothing can be injected with it.
/// Value; any thread. Personal data: never log one.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace holdfast::mail {

class Address {
 public:
  /// invalid_argument says what is wrong, without repeating the address.
  static Result<Address> parse(std::string_view text);

  /// The local part as it was written, the domain in lower case.
  const std::string& str() const { return text_; }
  std::string_view local() const { return std::string_view(text_).substr(0, at_); }
  std::string_view domain() const { return std::string_view(text_).substr(at_ + 1); }

  friend bool operator==(const Address& a, const Address& b) { return a.text_ == b.text_; }

 private:
  Address(std::string text, std::size_t at) : text_(std::move(text)), at_(at) {}

  std::string text_;
  std::size_t at_;
};

/// The grammar's `local`, whatever its length: also the left side of a Message-ID.
bool is_dot_atom(std::string_view text);
/// The grammar's `domain`. The error begins with "the domain".
Status check_domain(std::string_view domain);

}  // namespace holdfast::mail
