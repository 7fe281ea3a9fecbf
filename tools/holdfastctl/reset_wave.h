/// incident reset: many accounts are mailed a link that sets another password.
///
/// Always looked at first: whom it would mail. Only with --send it begins; the server then goes on by itself, and this
/// reports how far it is. Broken off, it is taken up again with --wave, and mails nobody twice.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "base/time.h"
#include "clients/cpp/client.h"
#include "net/asio.h"
#include "tools/holdfastctl/options.h"

namespace holdfast::ctl {

/// "12h": so long ago; "2026-11-29T08:00:00Z".
std::optional<WallTime> parse_since(std::string_view text, WallTime now);

/// How the program ends. What went wrong is said on standard error by `report`.
using Report = std::function<int(const client::Reply&)>;
Awaitable<int> run_reset_wave(client::Client* to, ResetWave wish, Report report);

}  // namespace holdfast::ctl
