#include "server/mail/message.h"

#include <algorithm>

#include "base/hash.h"
#include "server/mail/encoding.h"

namespace holdfast::mail {
namespace {

constexpr std::size_t kUrlBytesMax = 900;  // in one header line of 998

Status check_url(std::string_view url) {
  const bool fits = url.size() <= kUrlBytesMax && std::all_of(url.begin(), url.end(), [](char c) {
                      return c > ' ' && c <= '~' && c != '<' && c != '>' && c != ',';
                    });
  if (url.starts_with("https://") && fits) return Ok{};
  return Error{Errc::invalid_argument,
               "a link to unsubscribe is https:// and at most 900 printable ASCII characters without blanks, commas, < "
               "and >"};
}

std::string from_line(const Headers& headers) {
  const std::string address = "<" + headers.from.str() + ">";
  if (one_line(headers.from_name).empty()) return header_line("From", address);
  return header_line("From", display_name(headers.from_name) + " " + address);
}

std::string thread_lines(const std::vector<MessageId>& references) {
  if (references.empty()) return {};
  std::string all;
  for (const MessageId& id : references) all += (all.empty() ? "" : " ") + id.str();
  return header_line("In-Reply-To", references.back().str()) + header_line("References", all);
}

std::string unsubscribe_lines(const std::string& url) {
  if (url.empty()) return {};
  return "List-Unsubscribe: <" + url + ">\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n";
}

std::string header_lines(const Headers& headers) {
  std::string out = from_line(headers);
  out += header_line("To", "<" + headers.to.str() + ">");
  if (headers.reply_to) out += header_line("Reply-To", "<" + headers.reply_to->str() + ">");
  out += header_line("Subject", unstructured(headers.subject));
  out += header_line("Date", mail_date(headers.date));
  out += header_line("Message-ID", headers.id.str());
  out += thread_lines(headers.references);
  // No vacation notes and the like, please: the first is the standard's way to say so (RFC 3834), the second Exchange's.
  out += "Auto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\n";
  out += unsubscribe_lines(headers.unsubscribe_url);
  return out + "MIME-Version: 1.0\r\n";
}

std::string part(std::string_view type, std::string_view text) {
  return "Content-Type: " + std::string(type) +
         "; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + quoted_printable(text);
}

/// "=_" never stands in quoted-printable, so no line of a part can be taken for the boundary.
std::string alternatives(const MessageId& id, const Content& content) {
  const auto hash = blake2b_128({id.str()});
  const std::string boundary = "=_" + to_hex({reinterpret_cast<const char*>(hash.data()), hash.size()});
  return "Content-Type: multipart/alternative;\r\n boundary=\"" + boundary + "\"\r\n\r\n--" + boundary + "\r\n" +
         part("text/plain", content.text) + "\r\n--" + boundary + "\r\n" + part("text/html", content.html) + "\r\n--" +
         boundary + "--\r\n";
}

}  // namespace

Result<Mail> compose(const Headers& headers, const Content& content) {
  if (!headers.unsubscribe_url.empty())
    if (const Status good = check_url(headers.unsubscribe_url); !good) return good.error();
  std::string text = header_lines(headers);
  text += content.html.empty() ? part("text/plain", content.text) : alternatives(headers.id, content);
  return Mail{headers.from, headers.to, headers.id, headers.date, std::move(text)};
}

}  // namespace holdfast::mail
