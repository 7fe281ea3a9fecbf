/// HTML as a mail program shows it, in plain text.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::lmtp {

/// UTF-8 in, UTF-8 out, lines end with LF. Whatever comes gives some text: unknown markup is passed over, what is hidden
/// (style, script, head, comments) is gone. Quotes (blockquote) get "> " before each line, so that they are quotes to whoever
/// reads the text; links keep where they lead; items get "- ". Takes linear time; the text is at most a small multiple
/// of the HTML, since quotes nest to ten levels and no deeper.
std::string text_of_html(std::string_view html);

}  // namespace holdfast::lmtp
