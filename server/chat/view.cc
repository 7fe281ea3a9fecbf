#include "server/chat/view.h"

namespace holdfast::chat {

std::uint32_t Draft::put(std::string key, std::string value) {
  log::Write& write = writes.emplace_back();
  write.set_key(std::move(key));
  write.set_put(std::move(value));
  return static_cast<std::uint32_t>(writes.size() - 1);
}

void Draft::remove(std::string key) {
  log::Write& write = writes.emplace_back();
  write.set_key(std::move(key));
  write.set_remove(true);
}

void Draft::remove_range(std::string from, std::string until) {
  log::Write& write = writes.emplace_back();
  write.set_key(std::move(from));
  write.set_remove_until(std::move(until));
}

void Draft::refuse(v1::ErrorCode code, std::string message, std::chrono::milliseconds retry_after) {
  writes.clear();
  events.clear();
  effects.clear();
  answer_.Clear();
  v1::Error& error = *frame().mutable_error();
  error.set_code(code);
  error.set_message(std::move(message));
  error.set_retry_after_ms(static_cast<std::uint64_t>(retry_after.count()));
}

}  // namespace holdfast::chat
