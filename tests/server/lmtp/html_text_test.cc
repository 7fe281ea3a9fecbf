#include "server/lmtp/html_text.h"

#include <catch2/catch.hpp>

namespace holdfast::lmtp {

TEST_CASE("HTML: what a mail program shows is the text") {
  struct Case {
    const char* html;
    const char* text;
  };
  const Case cases[] = {
      {"plain", "plain\n"},
      {"<p>One  <b>bold</b>\n word.</p><p>Two</p>", "One bold word.\n\nTwo\n"},
      {"<div dir=\"ltr\">Hello<br></div><br><div>there</div>", "Hello\n\nthere\n"},
      {"<div>a</div><div><br></div><div>b</div>", "a\n\nb\n"},
      {"a<br>b<br/>c", "a\nb\nc\n"},
      {"1 &lt; 2 &amp;&amp; &quot;x&quot; &euro;&#8364;&#x20AC; gr&uuml;&szlig;", "1 < 2 && \"x\" €€€ grüß\n"},
      {"a&nbsp;&nbsp;b &unknown; & c &#0;", "a  b &unknown; & c \xef\xbf\xbd\n"},
      {"<ul><li>one</li><li> two</li></ul>", "- one\n- two\n"},
      {"<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc\n"},
      {"<pre>a\n  b</pre>", "a\n  b\n"},
      {"mine<blockquote>theirs<br>more<blockquote>older</blockquote></blockquote>below",
       "mine\n> theirs\n> more\n> > older\nbelow\n"},
      {"see <a href=\"https://x.example/a?b=1&amp;c=2\">this</a>.", "see this <https://x.example/a?b=1&c=2>.\n"},
      {"<a href='https://x.example/'>x.example</a>", "x.example\n"},
      {"<a href=\"mailto:a@b\">write</a>", "write\n"},
      {"<a href=\"javascript:alert(1)\">click</a>", "click\n"},
      {"<html><head><title>t</title><style>p{}</style></head><body>b<script>var a='</p>';</script>c</body></html>",
       "bc\n"},
      {"a<!-- hidden > -->b<!doctype html>c<?xml x?>d", "abcd\n"},
      {"<head><meta x>shown after all", "shown after all\n"},
      {"3 < 4 <3 <> </> a<b", "3 < 4 <3 <> </> a\n"},  // "<b" opens a tag that never ends
      {"<p class=MsoNormal>Word<o:p></o:p></p><p><o:p>&nbsp;</o:p></p><p>more</p>", "Word\n\nmore\n"},
      {"<a title=\"a > b\" href=\"https://y.example\">y</a>", "y <https://y.example>\n"},
      {"", ""},
  };
  for (const auto& [html, text] : cases) {
    INFO(html);
    CHECK(text_of_html(html) == text);
  }
}

TEST_CASE("HTML: nesting and repetition without end take neither time nor room") {
  const auto repeated = [](const char* piece, std::size_t times) {
    std::string html;
    for (std::size_t i = 0; i < times; ++i) html += piece;
    return html;
  };
  // Quadratic work on these would take hours; ctest's bound is what notices.
  for (const char* piece : {"<head>", "<blockquote>x", "<a href='https://x'>", "<!--", "<a '", "&#", "<style", "</a>",
                            "<title></titl", "<pre>\n", "<td>"}) {
    INFO(piece);
    const auto html = repeated(piece, 1'000'000);
    CHECK(text_of_html(html).size() <= 8 * html.size());
  }
}

}  // namespace holdfast::lmtp
