/// A text with placeholders, and the values that fill it.
///
///   {{name}}                     the value, escaped for where it stands
///   {{#name}} … {{/name}}        once for each entry of the list `name`, whose values hide those outside; or once if
///                                `name` is a single value that is not empty; not at all if there is neither
///   {{> name}}                   another template's text, a part that several share; has no parts itself
///
/// A name is lower-case letters, digits and underscores. A section's begin and end or a part alone on a line take the
/// whole line with them. There is no way to put a value in unescaped.
///
/// How it is escaped: in HTML text `&<>"'`, and a line break becomes <br>; in an attribute the same, the line break a
/// blank; at the beginning of an href only http(s):// is let in; elsewhere in HTML (style, script, a bare attribute) a
/// placeholder is an error. In plain text control characters go, and the lines of a value are indented like its first.
/// In a header everything is on one line.
///
/// Values; immutable once parsed; any thread. Errors are invalid_argument: "en/password_reset.html:12: …".
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace holdfast::mail {

using SingleValues = std::map<std::string, std::string>;

struct Values {
  SingleValues single;
  std::map<std::string, std::vector<SingleValues>> lists;
};

enum class Form { header, text, html };

struct TemplateSource {
  std::string file;  ///< for errors
  std::string text;
};

class Template {
 public:
  /// Gives the source of a part, or an error whose message says why there is none.
  using FindPart = std::function<Result<TemplateSource>(const std::string& name)>;

  static Result<Template> parse(const TemplateSource& source, Form form, const FindPart& find_part);

  /// Fails if a value is missing, or may not stand where it would.
  Result<std::string> render(const Values& values) const;
  /// Fails if it uses a name, of a section too, that `all` does not have. `all` has an entry in every list.
  Status check(const Values& all) const;

 private:
  friend class TemplateParser;
  friend class TemplateRenderer;

  enum class Place { header, text, html_text, html_attribute, html_link };
  enum class Kind { literal, value, section };
  struct Node {
    Kind kind;
    std::string text;  ///< the literal, or the name
    Place place = Place::text;
    std::string indent;  ///< blanks before a value that begins its line
    std::string where;   ///< "file:line"
    std::vector<Node> inside;
  };

  std::vector<Node> nodes_;
};

}  // namespace holdfast::mail
