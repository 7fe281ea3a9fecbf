/// What a mail is known by: the same event gives the same id, so that a repeat is recognised.
///
///   message_id = "<" left "@" domain ">"     RFC 5322's msg-id in its narrow form: dot-atom on both sides
///
/// Value; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace holdfast::mail {

class MessageId {
 public:
  /// With its angle brackets, as it stands in a header. invalid_argument for anything but the grammar above.
  static Result<MessageId> parse(std::string_view text);

  const std::string& str() const { return text_; }  ///< "<left@domain>"
  std::string_view left() const { return std::string_view(text_).substr(1, text_.find('@') - 1); }

  friend bool operator==(const MessageId&, const MessageId&) = default;

 private:
  friend MessageId message_id_of(std::string_view, std::string_view);
  explicit MessageId(std::string text) : text_(std::move(text)) {}

  std::string text_;
};

/// "<hex of id@domain>". `id`: 1 to 64 bytes, usually an intent's 16; `domain` passed check_domain().
MessageId message_id_of(std::string_view id, std::string_view domain);

}  // namespace holdfast::mail
