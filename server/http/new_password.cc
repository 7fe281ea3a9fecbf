#include "server/http/new_password.h"

#include "server/chat/common_passwords.h"
#include "server/chat/validation.h"

namespace holdfast::http {

std::optional<std::string> complaint_about_password(const std::string& password, std::string_view username,
                                                    const chat::Limits& limits) {
  if (password.size() < limits.password_bytes_min)
    return "This password is too short. Take at least " + std::to_string(limits.password_bytes_min) + " characters.";
  if (password.size() > limits.password_bytes_max)
    return "This password is too long. Take at most " + std::to_string(limits.password_bytes_max) + " characters.";
  if (chat::bad_new_password(password, limits)) return "This password has a character that no password can have.";
  if (chat::refuse_common(password, username))
    return "This password is one of the first that anybody would guess. Take another one: several words that have "
           "nothing to do with each other are good.";
  return std::nullopt;
}

}  // namespace holdfast::http
