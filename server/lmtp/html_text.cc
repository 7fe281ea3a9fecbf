#include "server/lmtp/html_text.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "server/lmtp/ascii.h"
#include "server/lmtp/html_entities.h"

namespace holdfast::lmtp {
namespace {

constexpr std::size_t kQuoteDepthMax = 10;
constexpr std::size_t kLinkBytesMax = 2'000;  // longer ones, which nobody can read, are left out
constexpr std::string_view kNoBreakSpace = "\xc2\xa0";

using Names = std::initializer_list<std::string_view>;

bool is_one_of(std::string_view name, Names names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Begin on a line of their own, and end with one.
bool is_block(std::string_view name) {
  return is_one_of(name, {"div",    "p",      "blockquote", "ul", "ol", "li", "table",   "tr",      "pre",
                          "h1",     "h2",     "h3",         "h4", "h5", "h6", "hr",      "section", "article",
                          "header", "footer", "center",     "dl", "dt", "dd", "address", "form",    "body"});
}

/// Have an empty line around them.
bool is_paragraph(std::string_view name) {
  return is_one_of(name, {"p", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "ul", "ol"});
}

/// What stands in them is not shown.
bool is_hidden(std::string_view name) { return is_one_of(name, {"style", "script", "head", "title", "template"}); }

struct Tag {
  std::string name;  ///< in lower case
  bool closes = false;
  std::string_view attributes;
  std::size_t length = 0;  ///< from '<' to behind '>'
};

/// The tag that `html` begins with ('<'); length 0: it is none, the sign stands for itself.
Tag read_tag(std::string_view html) {
  Tag tag;
  std::size_t at = 1;
  if (at < html.size() && html[at] == '/') {
    tag.closes = true;
    ++at;
  }
  const std::size_t name = at;
  while (at < html.size() && (is_letter(html[at]) || is_digit(html[at]) || html[at] == ':')) ++at;
  if (at == name || !is_letter(html[name])) return tag;
  tag.name = lower(html.substr(name, at - name));
  const std::size_t attributes = at;
  for (char quote = '\0'; at < html.size(); ++at) {
    if (quote != '\0') {
      if (html[at] == quote) quote = '\0';
    } else if (html[at] == '"' || html[at] == '\'') {
      quote = html[at];
    } else if (html[at] == '>') {
      break;
    }
  }
  tag.attributes = html.substr(attributes, at - attributes);
  tag.length = std::min(at + 1, html.size());
  return tag;
}

/// The value of href="…", or empty.
std::string_view link_of(std::string_view attributes) {
  for (std::size_t at = 0; at + 5 < attributes.size(); ++at) {
    if (!begins_with_text(attributes.substr(at), "href=")) continue;
    auto value = attributes.substr(at + 5);
    const char quote = value.empty() ? '\0' : value[0];
    if (quote != '"' && quote != '\'') return value.substr(0, value.find_first_of(" \t\r\n"));
    value.remove_prefix(1);
    return value.substr(0, value.find(quote));
  }
  return {};
}

std::string resolve_entities(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto length = text[0] == '&' ? append_entity(text, out) : 0;
    if (length == 0) out += text[0];
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

/// The text that has come together, and where in it we are.
class Page {
 public:
  void add(std::string_view character) {
    begin_line();
    if (blank_ && !line_is_empty_) out_ += ' ';
    blank_ = false;
    line_is_empty_ = false;
    if (character != " ") line_is_blank_ = false;
    out_ += character;
  }
  void add_blank() { blank_ = true; }
  /// From preformatted text: as it stands.
  void add_as_is(char c) {
    if (c == '\n') return end_line();
    add(std::string_view(&c, 1));
  }
  /// Ends the line that something stands in. Word's programs write <p>&nbsp;</p> for an empty line: below one it is none.
  void close_line() {
    blank_ = false;
    if (line_is_empty_) return;
    if (!line_is_blank_ || !last_is_blank_) return end_line();
    out_.resize(line_begin_);
    at_line_begin_ = line_is_empty_ = true;
  }
  /// <br>: also an empty line.
  void end_line() {
    begin_line();
    out_ += '\n';
    last_is_blank_ = line_is_blank_;
    at_line_begin_ = line_is_empty_ = true;
    blank_ = false;
  }
  void ask_empty_line() {
    close_line();
    empty_line_asked_ = true;
  }
  void open_quote() {
    close_line();
    ++depth_;
  }
  void close_quote() {
    close_line();
    if (depth_ > 0) --depth_;
  }
  std::size_t size() const { return out_.size(); }
  std::string_view since(std::size_t begin) const {
    return std::string_view(out_).substr(std::min(begin, out_.size()));
  }
  std::string take() {
    close_line();
    return std::move(out_);
  }

 private:
  void begin_line() {
    if (!at_line_begin_) return;
    if (std::exchange(empty_line_asked_, false) && !out_.empty() && !last_is_blank_) {
      add_quote_marks();
      out_ += '\n';
      last_is_blank_ = true;
    }
    line_begin_ = out_.size();
    add_quote_marks();
    at_line_begin_ = false;
    line_is_blank_ = true;
  }
  void add_quote_marks() {
    for (std::size_t i = 0; i < std::min(depth_, kQuoteDepthMax); ++i) out_ += "> ";
  }

  std::string out_;
  std::size_t depth_ = 0;
  bool at_line_begin_ = true;
  bool line_is_empty_ = true;   ///< nothing stands in it yet
  bool line_is_blank_ = true;   ///< … but blanks
  bool last_is_blank_ = false;  ///< the line before it
  std::size_t line_begin_ = 0;
  bool blank_ = false;  ///< seen, and due if something follows on this line
  bool empty_line_asked_ = false;
};

class Reader {
 public:
  explicit Reader(std::string_view html) : rest_(html) {}

  std::string read() {
    while (!rest_.empty()) {
      if (rest_[0] == '<') {
        read_markup();
      } else if (rest_[0] == '&') {
        read_entity();
      } else {
        read_character();
      }
    }
    return page_.take();
  }

 private:
  void skip(std::size_t bytes) { rest_.remove_prefix(std::min(bytes, rest_.size())); }
  void skip_behind(std::string_view end) {
    const auto found = rest_.find(end);
    skip(found == std::string_view::npos ? rest_.size() : found + end.size());
  }

  void read_markup() {
    if (rest_.starts_with("<!--")) return skip_behind("-->");
    if (rest_.starts_with("<!") || rest_.starts_with("<?")) return skip_behind(">");
    const Tag tag = read_tag(rest_);
    if (tag.length == 0) return read_character();
    skip(tag.length);
    if (is_hidden(tag.name)) return tag.closes ? void() : skip_hidden(tag.name);
    if (tag.closes) return close(tag.name);
    open(tag);
  }

  /// Up to the closing tag. A head that never closes would hide all of the mail: then nothing is hidden (and it is not
  /// looked for again: that would take quadratic time).
  void skip_hidden(std::string_view name) {
    if (name == "head" && head_never_closes_) return;
    for (std::size_t at = 0; (at = rest_.find("</", at)) != std::string_view::npos; at += 2) {
      if (!begins_with_text(rest_.substr(at + 2), name)) continue;
      skip(at);
      return skip_behind(">");
    }
    head_never_closes_ = name == "head";
    if (!head_never_closes_) rest_ = {};
  }

  void open(const Tag& tag) {
    if (tag.name == "br") return page_.end_line();
    if (tag.name == "blockquote") return page_.open_quote();
    if (is_paragraph(tag.name)) page_.ask_empty_line();
    if (is_block(tag.name)) page_.close_line();
    if (tag.name == "pre") preformatted_ = true;
    if (tag.name == "li") {
      page_.add("-");
      page_.add_blank();
    }
    if (tag.name == "td" || tag.name == "th") page_.add_blank();
    if (tag.name == "a") {
      link_ = link_of(tag.attributes);
      link_begin_ = page_.size();
    }
  }

  void close(const std::string& name) {
    if (name == "blockquote") return page_.close_quote();
    if (name == "pre") preformatted_ = false;
    if (is_paragraph(name)) return page_.ask_empty_line();
    if (is_block(name)) return page_.close_line();
    if (name == "a") close_link();
  }

  /// A link's text need not say where it leads.
  void close_link() {
    const std::string target = resolve_entities(std::exchange(link_, {}));
    if (!begins_with_text(target, "http://") && !begins_with_text(target, "https://")) return;
    if (target.size() > kLinkBytesMax) return;
    const auto shown = trim(page_.since(link_begin_));
    const auto bare = std::string_view(target).substr(target.find("//") + 2);
    if (shown.empty() || shown.find(bare.substr(0, bare.find_last_not_of('/') + 1)) != std::string_view::npos) return;
    page_.add_blank();
    page_.add("<" + target + ">");
  }

  void read_entity() {
    std::string character;
    const auto length = append_entity(rest_, character);
    if (length == 0) return read_character();
    if (character == kNoBreakSpace || character == "\n" || character == "\t" || character == "\r") character = " ";
    page_.add(character);
    skip(length);
  }

  void read_character() {
    const char c = rest_[0];
    skip(1);
    if (preformatted_) {
      if (c != '\r') page_.add_as_is(c);
    } else if (kSpaces.find(c) != std::string_view::npos) {
      page_.add_blank();
    } else {
      page_.add(std::string_view(&c, 1));
    }
  }

  std::string_view rest_;
  Page page_;
  std::string_view link_;  ///< of the <a> that we are in
  std::size_t link_begin_ = 0;
  bool preformatted_ = false;
  bool head_never_closes_ = false;
};

}  // namespace

std::string text_of_html(std::string_view html) { return Reader(html).read(); }

}  // namespace holdfast::lmtp
