#include "server/http/unsubscribe_page.h"

#include <algorithm>

#include "server/http/html.h"

namespace holdfast::http {
namespace {

constexpr std::size_t kTokenCharacters = 64;

/// Nothing but the characters of a token: it may stand in a page as it is.
std::string token_of(const HttpRequest& request) {
  std::string_view query = request.query();
  if (!query.starts_with("t=")) return {};
  query.remove_prefix(2);
  const bool is_token =
      query.size() == kTokenCharacters && std::all_of(query.begin(), query.end(), [](unsigned char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
      });
  return is_token ? std::string(query) : std::string();
}

HttpResponse page(unsigned status, const std::string& heading, const std::string& content) {
  return html_page({.status = status, .heading = heading, .content = content, .footer = {}});
}

HttpResponse question(const std::string& token) {
  return page(
      200, "No more mails about missed messages?",
      "<p>You will not be mailed any more when a message reaches none of your devices. You can switch it on again "
      "in your app.</p>\n<form method=\"post\" action=\"/unsubscribe?t=" +
          token + "\"><button type=\"submit\">Switch these mails off</button></form>");
}

HttpResponse outcome(const Status& status) {
  if (status) return page(200, "Switched off", "<p>You will get no more mails about missed messages.</p>");
  if (status.error().code == Errc::not_found)
    return page(404, "This link does not work", "<p>It is not complete, or its account is gone.</p>");
  HttpResponse later = page(503, "Not now", "<p>That can't be done at this moment. Please try again soon.</p>");
  later.headers.emplace_back("retry-after", "10");
  return later;
}

}  // namespace

void answer_unsubscribe(const Unsubscribe& unsubscribe, const HttpRequest& request, const HttpReply& reply) {
  if (request.method != "GET" && request.method != "POST") {
    HttpResponse refused = page(405, "Not like this", "<p>Only GET and POST.</p>");
    refused.headers.emplace_back("allow", "GET, HEAD, POST");
    return reply(std::move(refused));
  }
  const std::string token = token_of(request);
  if (token.empty()) return reply(outcome(Error{Errc::not_found, ""}));
  if (request.method == "GET") return reply(question(token));
  unsubscribe(token, [reply](const Status& status) { reply(outcome(status)); });
}

}  // namespace holdfast::http
