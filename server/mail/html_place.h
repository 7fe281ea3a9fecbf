/// Where in an HTML text one stands: what has to be escaped, and how, depends on it.
///
/// A scanner for our own templates, which are well-formed: it knows text, tags, quoted attribute values, comments, and
/// the raw text of style and script. One thread.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::mail {

class HtmlPlace {
 public:
  enum class Kind {
    text,        ///< between tags
    attribute,   ///< in a quoted value
    link_begin,  ///< at the beginning of a quoted href or src: what stands here decides where the link goes
    forbidden,   ///< in a tag outside quotes, in style, script, a comment, or a value that is code
  };

  void feed(std::string_view literal);
  /// Something of the reader's own comes in here.
  void feed_value() { value_has_begun_ = true; }
  Kind kind() const;

 private:
  enum class State { text, tag, value, comment, raw };
  void feed(char c);
  void feed_in_tag(char c);
  void end_tag();

  State state_ = State::text;
  std::string tag_;   ///< name of the open tag, lower case
  std::string word_;  ///< the attribute's name so far; in a comment or in raw text the last characters
  bool tag_is_named_ = false;
  char quote_ = 0;
  bool value_has_begun_ = false;
};

}  // namespace holdfast::mail
