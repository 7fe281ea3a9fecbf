#include "server/lmtp/incoming_mail.h"

#include <algorithm>

#include "base/hash.h"
#include "server/lmtp/ascii.h"
#include "server/lmtp/charset.h"
#include "server/lmtp/encoded_words.h"
#include "server/lmtp/flowed_text.h"
#include "server/lmtp/html_text.h"
#include "server/lmtp/transfer_encoding.h"

namespace holdfast::lmtp {
namespace {

constexpr std::size_t kMessageIdBytesMax = 250;

/// Lines end with LF; other control characters are no text and would only trick whoever shows it.
std::string clean_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool line_ends = c == '\n' || c == '\r';
    if (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    if (line_ends) {
      out += '\n';
    } else if (c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != 127)) {
      out += c;
    }
  }
  return out;
}

Result<std::string> decode_text(const Part& part) {
  auto bytes = decode_transfer(part.body, part.header.first("content-transfer-encoding"));
  if (!bytes) return bytes.error();
  auto text = to_utf8(*bytes, part.type.parameter("charset"));
  if (!text) return text.error();
  if (part.type.value == "text/html") return clean_text(text_of_html(*text));
  const bool flowed = same_text(part.type.parameter("format"), "flowed");
  if (flowed) return clean_text(unflow(*text, same_text(part.type.parameter("delsp"), "yes")));
  return clean_text(*text);
}

bool is_blank(std::string_view text) { return trim(text).empty(); }

/// Goes through a mail's parts and takes the text out of them.
class TextFinder {
 public:
  Result<std::string> text_of(const Part& part) {
    if (part.is_multipart()) return part.type.value == "multipart/alternative" ? choose(part) : join(part);
    const bool is_text = part.type.value == "text/plain" || part.type.value == "text/html";
    if (is_text && !part.is_attachment()) return decode_text(part);
    ++attachments_;
    return std::string();
  }
  std::size_t attachments() const { return attachments_; }

 private:
  /// The same content in several forms: the plain one, unless it is empty (some programs write an HTML mail that way).
  Result<std::string> choose(const Part& part) {
    const auto is_plain = [](const Part& child) { return child.type.value == "text/plain" && !child.is_attachment(); };
    for (const bool plain : {true, false}) {
      for (const Part& child : part.children) {
        if (is_plain(child) != plain) continue;
        auto text = text_of(child);
        if (!text || !is_blank(*text)) return text;
      }
    }
    return std::string();
  }

  /// Parts that follow one another: Apple's programs cut a text wherever a picture stands in it.
  Result<std::string> join(const Part& part) {
    std::string joined;
    for (const Part& child : part.children) {
      const auto text = text_of(child);
      if (!text) return text.error();
      if (is_blank(*text)) continue;
      if (!joined.empty() && !joined.ends_with('\n')) joined += '\n';
      joined += text.value();
    }
    return joined;
  }

  std::size_t attachments_ = 0;
};

std::string message_id_of(const HeaderFields& header, std::string_view bytes) {
  const auto field = header.first("message-id");
  const auto begin = field.find('<');
  const auto end = field.find('>', std::min(begin, field.size()));
  if (begin != std::string_view::npos && end != std::string_view::npos) {
    const auto id = field.substr(begin, end - begin + 1);
    const bool readable = std::all_of(id.begin(), id.end(), [](char c) { return c > ' ' && c < 127; });
    if (readable && id.size() > 2 && id.size() <= kMessageIdBytesMax) return std::string(id);
  }
  return "<" + to_hex(as_bytes(blake2b_256({bytes}))) + "@hash.invalid>";
}

}  // namespace

Result<IncomingMail> parse_mail(std::string_view bytes, const MimeBounds& bounds) {
  auto part = parse_mime(bytes, bounds);
  if (!part) return part.error();
  IncomingMail mail;
  TextFinder finder;
  auto text = finder.text_of(*part);
  if (!text) return text.error();
  if (is_blank(*text)) return Error{Errc::invalid_argument, "a mail without any text"};
  mail.text = std::move(*text);
  mail.attachments = finder.attachments();
  mail.content_type = part->type.value;
  mail.message_id = message_id_of(part->header, bytes);
  mail.subject = decode_words(part->header.first("subject"));
  mail.header = std::move(part->header);
  return mail;
}

}  // namespace holdfast::lmtp
