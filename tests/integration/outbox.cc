#include "tests/integration/outbox.h"

#include <catch2/catch.hpp>

#include "tests/support/child.h"

namespace holdfast::testing {
namespace {

constexpr std::size_t kTokenCharacters = 86;

/// Quoted-printable undone, as far as a link needs it.
std::string plain(std::string text) {
  for (std::size_t at; (at = text.find("=\r\n")) != std::string::npos;) text.erase(at, 3);
  for (std::size_t at = 0; (at = text.find("=3D", at)) != std::string::npos; ++at) text.replace(at, 3, "=");
  return text;
}

/// Empty: there is none yet.
std::string token_in_mail(const ServerProcess& server, const std::string& page) {
  const auto outbox = server.data() / "outbox";
  if (!std::filesystem::exists(outbox)) return {};
  for (const auto& file : std::filesystem::directory_iterator(outbox)) {
    const std::string mail = plain(contents_of(file.path()));
    const auto at = mail.find(page + "?t=");
    if (at != std::string::npos && file.path().extension() == ".eml")
      return mail.substr(at + page.size() + 3, kTokenCharacters);
  }
  return {};
}

}  // namespace

std::string wait_for_token(const std::vector<const ServerProcess*>& servers, const std::string& page) {
  std::string token;
  REQUIRE(comes_true([&] {
    for (const ServerProcess* server : servers)
      if (token.empty()) token = token_in_mail(*server, page);
    return !token.empty();
  }));
  return token;
}

HttpAnswer post_form(std::uint16_t http_port, const std::string& page, const std::string& body,
                     const std::string& site) {
  return http_request(
      http_port,
      {"POST", page, "Sec-Fetch-Site: " + site + "\r\nContent-Type: application/x-www-form-urlencoded\r\n", body});
}

}  // namespace holdfast::testing
