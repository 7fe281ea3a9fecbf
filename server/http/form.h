/// What a form sends: fields of application/x-www-form-urlencoded (URL Standard, 5.1), and whether a page of ours sent it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "net/http.h"

namespace holdfast::http {

using Fields = std::map<std::string, std::string, std::less<>>;

/// Nothing if it is malformed: a broken escape, a field twice. Of a query too.
std::optional<Fields> parse_fields(std::string_view encoded);
/// The field, or empty.
std::string field(const Fields& fields, std::string_view name);

/// Whether a POST comes from a page under `base_url`. Browsers say so by themselves, and no page elsewhere can make them
/// say otherwise: Sec-Fetch-Site where it is sent (to https and to this machine), else Origin. Our pages let no referrer
/// out, which makes browsers send "Origin: null"; over plain http from afar that is all there is, and is let in. Host decides
/// nothing.
bool is_from_here(const HttpRequest& request, std::string_view base_url);

}  // namespace holdfast::http
