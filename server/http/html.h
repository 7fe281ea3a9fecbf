/// Pages for users: the frame that all of them stand in, and how text gets into it.
///
/// Rendered here, without scripts or anything from elsewhere; one style sheet, /style.css.
#pragma once

#include <string>
#include <string_view>

#include "net/http.h"

namespace holdfast::http {

/// For HTML text and quoted attributes.
std::string escape_html(std::string_view text);

struct Page {
  unsigned status = 200;
  std::string heading;  ///< plain text; also the title
  std::string content;  ///< HTML
  std::string footer;   ///< HTML; empty: none
};
HttpResponse html_page(const Page& page);

/// With a policy that lets in our style sheet and our forms and nothing else, no referrer, no sniffing, no cache.
HttpResponse guarded(HttpResponse response);

/// /style.css
HttpResponse style_sheet();

}  // namespace holdfast::http
