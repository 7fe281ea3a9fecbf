#include <algorithm>

#include "server/mail/html_place.h"
#include "server/mail/template.h"

namespace holdfast::mail {
namespace {

constexpr std::string_view kBlanks = " \t";

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

std::string_view last_line(std::string_view text) { return text.substr(text.rfind('\n') + 1); }

}  // namespace

/// One source from its beginning to its end; parts share the place of the text that they stand in.
class TemplateParser {
 public:
  using Node = Template::Node;

  TemplateParser(const TemplateSource& source, Form form, const Template::FindPart& find_part, HtmlPlace& html)
      : source_(source), rest_(source.text), form_(form), find_part_(find_part), html_(html) {}

  Result<std::vector<Node>> parse() {
    auto nodes = parse_until("", where());
    if (nodes && form_ == Form::html && html_.kind() != HtmlPlace::Kind::text)
      return wrong(where(), "the file ends within a tag");
    return nodes;
  }

 private:
  struct Tag {
    char kind = 0;  ///< '#', '/', '>', or 0: a value
    std::string name;
    std::string where;
  };

  static Error wrong(const std::string& where, const std::string& what) {
    return {Errc::invalid_argument, where + ": " + what};
  }
  static Error unended(const std::string& begun, const std::string& section) {
    return wrong(begun, "{{#" + section + "}} has no {{/" + section + "}}");
  }
  std::string where() const { return source_.file + ":" + std::to_string(line_); }

  /// Up to {{/section}}; without a section up to the end.
  Result<std::vector<Node>> parse_until(const std::string& section, const std::string& begun) {
    std::vector<Node> nodes;
    while (true) {
      const auto open = rest_.find("{{");
      std::string literal(rest_.substr(0, open));
      take(literal.size());
      if (open == std::string_view::npos) {
        add_literal(literal, nodes);
        if (!section.empty()) return unended(begun, section);
        return nodes;
      }
      auto tag = take_tag();
      if (!tag) return tag.error();
      if (tag->kind != 0) drop_own_line(literal);
      add_literal(literal, nodes);
      if (tag->kind == '/') {
        if (tag->name == section) return nodes;
        return wrong(tag->where, "{{/" + tag->name + "}} ends no section that is open here");
      }
      if (const Status added = add(*tag, nodes); !added) return added.error();
    }
  }

  void take(std::size_t bytes) {
    line_ += static_cast<int>(std::count(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(bytes), '\n'));
    taken_.append(rest_.substr(0, bytes));
    rest_.remove_prefix(bytes);
  }

  Result<Tag> take_tag() {
    before_tag_ = last_line(taken_);
    Tag tag{0, "", where()};
    const auto close = rest_.find("}}");
    if (close == std::string_view::npos) return wrong(where(), "{{ has no }}");
    std::string_view inside = trim(rest_.substr(2, close - 2));
    if (!inside.empty() && std::string_view("#/>").find(inside[0]) != std::string_view::npos) {
      tag.kind = inside[0];
      inside = trim(inside.substr(1));
    }
    tag.name = inside;
    if (!is_name(tag.name))
      return wrong(where(), "{{" + tag.name + "}} is no name of lower-case letters, digits and _");
    take(close + 2);
    return tag;
  }

  /// Of a tag that makes no text itself and is alone on its line nothing is to be seen.
  void drop_own_line(std::string& literal) {
    if (!trim(before_tag_).empty()) return;
    const auto end = std::min(rest_.find('\n'), rest_.size());
    if (!trim(rest_.substr(0, end)).empty()) return;
    literal.resize(literal.size() - std::min(literal.size(), before_tag_.size()));
    take(std::min(end + 1, rest_.size()));
  }

  void add_literal(const std::string& literal, std::vector<Node>& nodes) {
    html_.feed(literal);
    if (!literal.empty()) nodes.push_back({Template::Kind::literal, literal, Template::Place::text, "", where(), {}});
  }

  Status add(const Tag& tag, std::vector<Node>& nodes) {
    if (tag.kind == '>') return add_part(tag, nodes);
    if (tag.kind == '#') {
      auto inside = parse_until(tag.name, tag.where);
      if (!inside) return inside.error();
      nodes.push_back({Template::Kind::section, tag.name, Template::Place::text, "", tag.where, std::move(*inside)});
      return Ok{};
    }
    const auto place = place_of(tag);
    if (!place) return place.error();
    const std::string indent = trim(before_tag_).empty() ? before_tag_ : "";
    nodes.push_back({Template::Kind::value, tag.name, *place, indent, tag.where, {}});
    html_.feed_value();
    return Ok{};
  }

  Result<Template::Place> place_of(const Tag& tag) const {
    if (form_ == Form::header) return Template::Place::header;
    if (form_ == Form::text) return Template::Place::text;
    switch (html_.kind()) {
      case HtmlPlace::Kind::text: return Template::Place::html_text;
      case HtmlPlace::Kind::attribute: return Template::Place::html_attribute;
      case HtmlPlace::Kind::link_begin: return Template::Place::html_link;
      case HtmlPlace::Kind::forbidden: break;
    }
    return wrong(tag.where, "{{" + tag.name + "}} may stand in text and in quoted attributes (no style, no on…) only");
  }

  Status add_part(const Tag& tag, std::vector<Node>& nodes) {
    const auto source = find_part_(tag.name);
    if (!source) return wrong(tag.where, source.error().message);
    const Template::FindPart no_further = [](const std::string&) -> Result<TemplateSource> {
      return Error{Errc::invalid_argument, "a part has no parts itself"};
    };
    TemplateParser part(*source, form_, no_further, html_);
    auto inside = part.parse();
    if (!inside) return inside.error();
    for (Node& node : *inside) nodes.push_back(std::move(node));
    return Ok{};
  }

  const TemplateSource& source_;
  std::string_view rest_;
  const Form form_;
  const Template::FindPart& find_part_;
  HtmlPlace& html_;
  int line_ = 1;
  std::string taken_;       ///< of the source so far
  std::string before_tag_;  ///< what stands before the present tag on its line
};

Result<Template> Template::parse(const TemplateSource& source, Form form, const FindPart& find_part) {
  HtmlPlace html;
  auto nodes = TemplateParser(source, form, find_part, html).parse();
  if (!nodes) return nodes.error();
  Template parsed;
  parsed.nodes_ = std::move(*nodes);
  return parsed;
}

}  // namespace holdfast::mail
