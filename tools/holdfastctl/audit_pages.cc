#include "tools/holdfastctl/audit_pages.h"

#include <iterator>

#include "tools/holdfastctl/figures.h"

namespace holdfast::ctl {

/// A page may be empty although more follow: of a user's lines, when none of a stretch is young enough.
Status AuditPages::fill(Admin& admin) {
  while (lines_.empty()) {
    auto body = admin.get_secret("/admin/audit?" + whose_ + "&after=" + std::to_string(after_) +
                                 "&since=" + std::to_string(since_ms_) + "&limit=500");
    if (!body) return body.error();
    auto page = parse_audit(*body);
    if (!page) return page.error();
    lines_.assign(std::make_move_iterator(page->lines.begin()), std::make_move_iterator(page->lines.end()));
    page->lines.clear();
    told_ = std::move(*page);
    if (told_.next_after == 0) break;
    after_ = told_.next_after;
  }
  return Ok{};
}

}  // namespace holdfast::ctl
