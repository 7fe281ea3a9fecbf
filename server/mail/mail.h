/// A mail, ready to be handed to a relay: envelope and text. Made by compose() and taken by Mailer.
#pragma once

#include <string>

#include "base/time.h"
#include "server/mail/address.h"
#include "server/mail/message_id.h"

namespace holdfast::mail {

struct Mail {
  Address from;  ///< the envelope's sender: where bounces go
  Address to;    ///< the envelope's only recipient
  MessageId id;
  WallTime date;     ///< when it was decided, not when it is sent: the same for every repeat
  std::string text;  ///< RFC 5322, with CRLF; not yet dot-stuffed
};

}  // namespace holdfast::mail
