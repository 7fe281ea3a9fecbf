/// /unsubscribe?t=TOKEN: mails about missed messages are switched off by the link in one of them.
///
/// GET shows a button and changes nothing, for links are followed by scanners of mail, too; POST switches off, from that
/// button or from a mail program (RFC 8058: "List-Unsubscribe=One-Click", from anywhere, without a cookie). The token is
/// all there is to know, so no origin is checked; it is in no log.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "net/http.h"

namespace holdfast::http {

/// not_found: the token is none of ours, or its account is gone; any other error: later. `then` is called once, on any
/// thread for as long as the listener's loop exists.
using Unsubscribe = std::function<void(std::string token, std::function<void(Status)> then)>;

/// The answer to a request for that path: 200, 404 for a token that is none, 405 but for GET and POST, 503 when it has to be
/// tried again. Without scripts, cached nowhere, under a strict Content-Security-Policy; /style.css is the pages' own.
void answer_unsubscribe(const Unsubscribe& unsubscribe, const HttpRequest& request, const HttpReply& reply);

}  // namespace holdfast::http
