/// What a mail about an incident says besides the operator's words: how one is told of no more of them.
#pragma once

#include <string>

#include "server/services/mail_sender.h"

namespace holdfast::services {

/// For the template incident. `base_url`: of the users' pages, without a slash at its end.
Assemble assemble_incident(std::string base_url);

}  // namespace holdfast::services
