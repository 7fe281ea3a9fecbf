#include "server/lmtp/message_reader.h"

namespace holdfast::lmtp {

void MessageReader::keep(char c) {
  ++size_;
  if (too_large()) {
    message_ = std::string();
  } else {
    message_ += c;
  }
}

bool MessageReader::take(std::string_view& bytes) {
  while (!bytes.empty()) {
    const char c = bytes[0];
    bytes.remove_prefix(1);
    switch (state_) {
      case State::line_begin:
        if (c == '.') {
          state_ = State::dot;
          continue;
        }
        break;
      case State::dot:  // alone so far: the end's, or one that was put before another sign
        if (c == '\r') {
          state_ = State::dot_cr;
          continue;
        }
        break;
      case State::dot_cr:
        if (c == '\n') return true;
        keep('\r');
        break;
      case State::cr:
        if (c != '\n') break;
        keep(c);
        state_ = State::line_begin;
        continue;
      case State::text: break;
    }
    keep(c);
    state_ = c == '\r' ? State::cr : State::text;
  }
  return false;
}

}  // namespace holdfast::lmtp
