/// The pages of the audit journal, one partition's or one user's after the other, as nodes give them.
///
/// Blocking; one thread. A partition whose pages run dry is asked again by the next fill().
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "server/http/admin_figures.h"
#include "tools/holdfastctl/admin.h"

namespace holdfast::ctl {

class AuditPages {
 public:
  /// `whose`: "partition=3", "user=anna".
  AuditPages(std::string whose, std::int64_t since_ms) : whose_(std::move(whose)), since_ms_(since_ms) {}

  /// If no line is here, asks for the next page. Fails as Admin::get_secret() does.
  Status fill(Admin& admin);
  /// Null: there are no more lines at present.
  const http::AuditFigures::Line* front() const { return lines_.empty() ? nullptr : &lines_.front(); }
  void pop() { lines_.pop_front(); }
  /// Of the last page.
  const http::AuditFigures& told() const { return told_; }

 private:
  const std::string whose_;
  const std::int64_t since_ms_;
  std::uint64_t after_ = 0;
  std::deque<http::AuditFigures::Line> lines_;
  http::AuditFigures told_;  ///< without its lines
};

}  // namespace holdfast::ctl
