/// The users' pages for getting back into an account: /reset, /verify and /recover.
///
///   GET  /reset               asks for a name or an address           POST /reset     who=
///   GET  /reset?t=TOKEN       asks for a new password                 POST /reset     t= password=
///   GET  /verify?t=TOKEN      asks whether the address is theirs      POST /verify    t=
///   GET  /recover             asks for name, code and new password    POST /recover   username= code= password=
///
/// A GET changes nothing: links in mails are followed by scanners too. A POST is taken from these very pages only (form.h),
/// and up to a size. Asking for a reset is answered before anything is looked up, the same whoever there is. No token, name,
/// address or password is in a log line.
#pragma once

#include <functional>
#include <string>

#include "net/http.h"
#include "server/chat/backend.h"
#include "server/http/pages.h"

namespace holdfast::http {

struct AccountParts {
  std::function<std::string()> base_url;  ///< of the users' pages, without a slash at its end
  /// Runs it where a Backend is at home: a worker's thread. Not run at all: the node is going down.
  std::function<void(std::function<void(chat::Backend&)>)> on_backend;
};

UserPages account_pages(AccountParts parts);

}  // namespace holdfast::http
