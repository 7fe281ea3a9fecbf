#include "server/http/unsubscribe_page.h"

#include <catch2/catch.hpp>

namespace holdfast::http {
namespace {

const std::string kToken(64, 'a');

/// What was answered, and which tokens were used.
struct Page {
  Status becomes = Ok{};
  std::vector<std::string> used;

  HttpResponse ask(const std::string& method, const std::string& target) {
    HttpRequest request;
    request.method = method;
    request.target = target;
    request.body = "List-Unsubscribe=One-Click";
    std::optional<HttpResponse> answer;
    const Unsubscribe unsubscribe = [this](std::string token, const std::function<void(Status)>& then) {
      used.push_back(std::move(token));
      then(becomes);
    };
    answer_unsubscribe(unsubscribe, request, [&](HttpResponse response) { answer = std::move(response); });
    REQUIRE(answer);
    return *answer;
  }
};

bool has(const HttpResponse& response, const std::string& name, const std::string& part) {
  for (const auto& [header, value] : response.headers)
    if (header == name && value.find(part) != std::string::npos) return true;
  return false;
}

}  // namespace

TEST_CASE("Unsubscribe page: looking changes nothing, the button and a mail program's POST switch off") {
  Page page;
  const HttpResponse shown = page.ask("GET", "/unsubscribe?t=" + kToken);
  CHECK(shown.status == 200);
  CHECK(has(shown, "x-frame-options", "DENY"));
  CHECK(has(shown, "cross-origin-opener-policy", "same-origin"));
  CHECK(shown.body.find("action=\"/unsubscribe?t=" + kToken + "\"") != std::string::npos);
  CHECK(page.used.empty());
  CHECK(page.ask("POST", "/unsubscribe?t=" + kToken).status == 200);
  CHECK(page.used == std::vector{kToken});
}

TEST_CASE("Unsubscribe page: what is no token is not found, never asked for, and never shown") {
  Page page;
  for (const std::string& query : {std::string(), std::string("?t="), "?t=" + kToken + "a", "?t=" + kToken.substr(1),
                                   "?t=" + kToken.substr(8) + "\"><b>%22", "?x=" + kToken}) {
    for (const char* method : {"GET", "POST"}) {
      const HttpResponse answer = page.ask(method, "/unsubscribe" + query);
      CHECK(answer.status == 404);
      CHECK(answer.body.find("<b>") == std::string::npos);
    }
  }
  CHECK(page.used.empty());
}

TEST_CASE("Unsubscribe page: each outcome has its status, and every answer is guarded") {
  Page page;
  const std::string target = "/unsubscribe?t=" + kToken;
  page.becomes = Error{Errc::not_found, "x"};
  CHECK(page.ask("POST", target).status == 404);
  page.becomes = Error{Errc::retry_later, "x"};
  CHECK(page.ask("POST", target).status == 503);
  CHECK(page.ask("DELETE", target).status == 405);
  for (const char* method : {"GET", "POST", "DELETE"}) {
    const HttpResponse answer = page.ask(method, target);
    CHECK(has(answer, "content-security-policy", "default-src 'none'"));
    CHECK(has(answer, "referrer-policy", "no-referrer"));
    CHECK(has(answer, "cache-control", "no-store"));
  }
}

}  // namespace holdfast::http
