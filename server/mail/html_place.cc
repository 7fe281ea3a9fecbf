#include "server/mail/html_place.h"

namespace holdfast::mail {
namespace {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }
constexpr bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// Keeps as much of the text's end as the longest thing that is looked for in it.
void remember(std::string& end, char c) {
  constexpr std::size_t kLongest = 8;  // "</script"
  end += lower(c);
  if (end.size() > kLongest) end.erase(0, end.size() - kLongest);
}

}  // namespace

void HtmlPlace::feed(std::string_view literal) {
  for (const char c : literal) feed(c);
}

void HtmlPlace::feed(char c) {
  switch (state_) {
    case State::text:
      if (c != '<') return;
      state_ = State::tag;
      tag_.clear();
      word_.clear();
      tag_is_named_ = false;
      return;
    case State::tag: feed_in_tag(c); return;
    case State::value:
      if (c == quote_)
        state_ = State::tag;
      else
        value_has_begun_ = true;
      return;
    case State::comment:
      remember(word_, c);
      if (word_.ends_with("-->")) state_ = State::text;
      return;
    case State::raw:
      remember(word_, c);
      if (!word_.ends_with("</" + tag_)) return;
      state_ = State::tag;
      tag_ = "/" + tag_;
      tag_is_named_ = true;
      return;
  }
}

void HtmlPlace::feed_in_tag(char c) {
  if (c == '>') return end_tag();
  if (!tag_is_named_) {
    if (is_blank(c))
      tag_is_named_ = true;
    else
      tag_ += lower(c);
    if (tag_ == "!--") {
      state_ = State::comment;
      word_.clear();
    }
    return;
  }
  if (c == '"' || c == '\'') {
    state_ = State::value;
    quote_ = c;
    value_has_begun_ = false;
  } else if (is_blank(c)) {
    word_.clear();
  } else if (c != '=') {
    word_ += lower(c);
  }
}

void HtmlPlace::end_tag() {
  state_ = tag_ == "style" || tag_ == "script" ? State::raw : State::text;
  word_.clear();
}

HtmlPlace::Kind HtmlPlace::kind() const {
  if (state_ == State::text) return Kind::text;
  if (state_ != State::value || word_ == "style" || word_.starts_with("on")) return Kind::forbidden;
  const bool is_link = word_ == "href" || word_ == "src";
  return is_link && !value_has_begun_ ? Kind::link_begin : Kind::attribute;
}

}  // namespace holdfast::mail
