#include "server/mail/template.h"

#include <algorithm>

#include "server/mail/encoding.h"

namespace holdfast::mail {
namespace {

std::string escaped_html(std::string_view text, std::string_view line_break) {
  std::string out;
  for (const char c : valid_utf8(text)) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (c == '\'')
      out += "&#39;";
    else if (c == '\n')
      out += line_break;
    else if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f)
      out += c;
    else if (c == '\t')
      out += ' ';
  }
  return out;
}

std::string plain(std::string_view text, const std::string& indent) {
  std::string out;
  for (const char c : valid_utf8(text)) {
    if (c == '\n')
      out += "\n" + indent;
    else if (c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f))
      out += c;
  }
  return out;
}

bool is_link(std::string_view text) {
  const bool goes_to_the_web = text.starts_with("https://") || text.starts_with("http://");
  return goes_to_the_web && std::none_of(text.begin(), text.end(), [](char c) { return c >= 0 && c <= ' '; });
}

}  // namespace

/// One rendering: the values, and of the section one is in those of its present entry.
class TemplateRenderer {
 public:
  using Node = Template::Node;

  TemplateRenderer(const Values& values, bool is_check) : values_(values), is_check_(is_check) {}

  Status add(const std::vector<Node>& nodes, const SingleValues* entry) {
    for (const Node& node : nodes) {
      if (node.kind == Template::Kind::literal)
        out_ += node.text;
      else if (const Status added =
                   node.kind == Template::Kind::value ? add_value(node, entry) : add_section(node, entry);
               !added)
        return added;
    }
    return Ok{};
  }
  std::string take() { return std::move(out_); }

 private:
  static Error wrong(const Node& node, const std::string& what) {
    return {Errc::invalid_argument, node.where + ": {{" + node.text + "}} " + what};
  }

  const std::string* find(const std::string& name, const SingleValues* entry) const {
    if (entry != nullptr)
      if (const auto found = entry->find(name); found != entry->end()) return &found->second;
    const auto found = values_.single.find(name);
    return found == values_.single.end() ? nullptr : &found->second;
  }

  Status add_value(const Node& node, const SingleValues* entry) {
    const std::string* value = find(node.text, entry);
    if (value == nullptr) return wrong(node, "has no value");
    switch (node.place) {
      case Template::Place::header: out_ += one_line(*value); break;
      case Template::Place::text: out_ += plain(*value, node.indent); break;
      case Template::Place::html_text: out_ += escaped_html(*value, "<br>\n"); break;
      case Template::Place::html_attribute: out_ += escaped_html(*value, " "); break;
      case Template::Place::html_link:
        if (!is_link(*value)) return wrong(node, "is to be a link, and its value is no http(s):// without blanks");
        out_ += escaped_html(*value, "");
        break;
    }
    return Ok{};
  }

  Status add_section(const Node& node, const SingleValues* entry) {
    if (const auto list = values_.lists.find(node.text); list != values_.lists.end()) {
      for (const SingleValues& one : list->second)
        if (const Status added = add(node.inside, &one); !added) return added;
      return Ok{};
    }
    const std::string* value = find(node.text, entry);
    if (value == nullptr && is_check_) return wrong(node, "is neither a list nor a value of this template");
    return value == nullptr || value->empty() ? Status(Ok{}) : add(node.inside, entry);
  }

  const Values& values_;
  const bool is_check_;
  std::string out_;
};

Result<std::string> Template::render(const Values& values) const {
  TemplateRenderer renderer(values, false);
  if (const Status rendered = renderer.add(nodes_, nullptr); !rendered) return rendered.error();
  return renderer.take();
}

Status Template::check(const Values& all) const { return TemplateRenderer(all, true).add(nodes_, nullptr); }

}  // namespace holdfast::mail
