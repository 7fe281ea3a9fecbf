/// The message behind DATA: lines until one with only a dot (RFC 5321, 4.5.2), however the bytes come in pieces.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace holdfast::lmtp {

/// Owned by one session, for one message. Ends at CRLF "." CRLF and at nothing else: a bare LF or CR is content, since
/// servers that see the end in different places can be made to see different mails.
class MessageReader {
 public:
  /// Keeps `bytes_max` of a message; of a longer one nothing.
  explicit MessageReader(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// Takes from the front of `bytes` what belongs to the message. True: it is whole, what is left is the next command.
  bool take(std::string_view& bytes);

  bool too_large() const { return size_ > bytes_max_; }
  std::size_t size() const { return size_; }  ///< of the message, also beyond what is kept
  /// Without the dots that were only there to travel. Once, when it is whole and not too large.
  std::string message() { return std::move(message_); }

 private:
  enum class State { line_begin, dot, dot_cr, text, cr };
  void keep(char c);

  const std::size_t bytes_max_;
  State state_ = State::line_begin;
  std::string message_;
  std::size_t size_ = 0;
};

}  // namespace holdfast::lmtp
