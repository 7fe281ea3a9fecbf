/// The mails that a server without a relay leaves in its data directory, and the links in them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/http_get.h"
#include "tests/support/process.h"

namespace holdfast::testing {

/// Waits until a mail in one of these servers' outboxes has a link to `page` ("/reset"); its token. Needs one that runs.
std::string wait_for_token(const std::vector<const ServerProcess*>& servers, const std::string& page);

/// A form of `page`, sent as a browser does that was on this site, or on another.
HttpAnswer post_form(std::uint16_t http_port, const std::string& page, const std::string& body,
                     const std::string& site = "same-origin");

}  // namespace holdfast::testing
