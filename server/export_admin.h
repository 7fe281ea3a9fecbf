/// All that is stored about a user, as JSON, a page at a time: for the operators' listener.
#pragma once

#include "server/engine.h"
#include "server/http/admin_pages.h"

namespace holdfast {

/// {"items": [{"section", …}], "next": TOKEN}; an empty token: that was all. First the rows of the user's partition, then
/// what the user wrote, conversation by conversation, then the lines of the audit journal. The first page is noted there.
void tell_export(Engine& engine, http::ExportRequest request, http::Then<Result<std::string>> then);

}  // namespace holdfast
