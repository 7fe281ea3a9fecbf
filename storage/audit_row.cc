#include "storage/audit_row.h"

#include <algorithm>

#include "base/hash.h"

namespace holdfast {

std::string make_audit_row(std::string_view chain_before, std::string_view line) {
  std::string row(as_bytes(blake2b_256({chain_before, line})));
  row.append(line);
  return row;
}

std::optional<AuditRow> split_audit_row(std::string_view row) {
  if (row.size() < kAuditChainBytes) return std::nullopt;
  return AuditRow{row.substr(0, kAuditChainBytes), row.substr(kAuditChainBytes)};
}

AuditChain::AuditChain(const state::AuditHead& head)
    : head_(head), expected_(head.first()), chain_(head.chain_before_first()) {}

std::optional<std::string> AuditChain::next(std::uint64_t number, std::string_view row) {
  if (number >= head_.next()) return std::nullopt;
  if (number != expected_) return "line " + std::to_string(expected_) + " is missing";
  const auto parts = split_audit_row(row);
  if (!parts || make_audit_row(chain_, parts->line) != row)
    return "line " + std::to_string(number) + " was altered, or what stood before it";
  chain_ = parts->chain;
  ++expected_;
  return std::nullopt;
}

std::optional<std::string> AuditChain::end() const {
  if (!is_complete()) {
    if (expected_ + 1 == head_.next()) return "line " + std::to_string(expected_) + " is missing";
    return "lines " + std::to_string(expected_) + " to " + std::to_string(head_.next() - 1) + " are missing";
  }
  if (head_.next() > 0 && chain_ != head_.chain()) return "the newest lines are not those that the head knows";
  return std::nullopt;
}

}  // namespace holdfast
