/// A line of the audit journal as it is stored, and the chain that ties the lines of a partition together.
///
///   row   = chain:32 line       chain = BLAKE2b-256(chain of the line before || line); before the first line: 32 zeros
///   line  = a serialized state.AuditLine
///
/// Whoever alters or removes a line breaks the chain; whoever takes away the newest ones contradicts the head.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proto/state.pb.h"

namespace holdfast {

inline constexpr std::size_t kAuditChainBytes = 32;
inline const std::string kAuditChainStart(kAuditChainBytes, '\0');

std::string make_audit_row(std::string_view chain_before, std::string_view line);

/// The views point into the row.
struct AuditRow {
  std::string_view chain;
  std::string_view line;
};
/// Nothing if it is too short for a row.
std::optional<AuditRow> split_audit_row(std::string_view row);

/// Follows the lines of one partition from the first to the head, and says where they don't hold together.
///
/// Value; sans-IO. Lines that came after the head was read are not looked at.
class AuditChain {
 public:
  explicit AuditChain(const state::AuditHead& head);

  /// The next line in order; what is wrong with it, if anything. After that nothing more can be said.
  std::optional<std::string> next(std::uint64_t number, std::string_view row);
  /// There are no more lines: what is wrong with that, if anything.
  std::optional<std::string> end() const;

  bool is_complete() const { return expected_ == head_.next(); }
  std::uint64_t expected() const { return expected_; }  ///< the number of the line that comes next

 private:
  const state::AuditHead head_;
  std::uint64_t expected_;
  std::string chain_;
};

}  // namespace holdfast
