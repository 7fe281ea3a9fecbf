/// The mail that verifies an address: whether the address may get one more is asked of its own partition when it is sent.
#pragma once

#include "server/services/mail_sender.h"

namespace holdfast::services {

/// For the template verify_address. Beyond Limits::verifications_asked_max in an hour, whoever asked, it is not sent: its
/// owner asks again later. One that was tried before is counted already.
Assemble assemble_verification();

}  // namespace holdfast::services
