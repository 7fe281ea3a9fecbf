/// Which letters a mail is about, as its reader would see it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace holdfast::chaos {

inline constexpr std::uint32_t kLetterBytes =
    64;  ///< of the body that holdfast-load's make_body() makes: (talk, letter)

struct MailText {
  std::string id;       ///< Message-ID, with its brackets
  std::string address;  ///< that it is for
  std::vector<std::uint64_t> letters;
  std::uint64_t more = 0;  ///< "And 5 more"
};

/// `mail` as it was on the wire, without the dots of SMTP. Fails with what can't be read. A mail about something else has
/// no letters.
Result<MailText> read_mail_text(std::string_view mail);

}  // namespace holdfast::chaos
