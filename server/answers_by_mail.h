/// Answers by mail, put together: the LMTP listener of a node, and what it asks of whichever node leads the user's
/// partition.
///
/// Made by Node, on its control loop. The parts run their questions on workers; they may be called for as long as the
/// engine stands.
#pragma once

#include <filesystem>

#include "server/config.h"
#include "server/lmtp/lmtp_server.h"
#include "server/on_backend.h"

namespace holdfast {

lmtp::Parts answer_parts(OnBackend on_backend);
lmtp::LmtpServerOptions answer_options(const Config& config);

}  // namespace holdfast
