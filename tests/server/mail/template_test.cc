#include "server/mail/template.h"

#include <catch2/catch.hpp>

namespace holdfast::mail {
namespace {

Result<TemplateSource> no_part(const std::string&) { return Error{Errc::not_found, "there is no such part"}; }

Template parsed(const std::string& text, Form form) {
  auto parsed = Template::parse({"en/x", text}, form, no_part);
  if (!parsed) FAIL(parsed.error().message);
  return std::move(*parsed);
}

std::string rendered(const std::string& text, Form form, const Values& values) {
  auto out = parsed(text, form).render(values);
  if (!out) FAIL(out.error().message);
  return *out;
}

std::string in_text(const std::string& text, const Values& values) { return rendered(text, Form::text, values); }
std::string in_html(const std::string& text, const Values& values) { return rendered(text, Form::html, values); }

std::string mistake(const std::string& text, Form form) {
  const auto parsed = Template::parse({"en/x", text}, form, no_part);
  return parsed ? "" : parsed.error().message;
}

Values one(const std::string& value) { return {{{"a", value}}, {}}; }
bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("Template: a value in HTML is text, whatever it looks like") {
  CHECK(in_html("<p>{{a}}</p>", one("<script>&\"'</script>")) ==
        "<p>&lt;script&gt;&amp;&quot;&#39;&lt;/script&gt;</p>");
  CHECK(in_html("<p>{{a}}</p>", one("x\ny")) == "<p>x<br>\ny</p>");
  CHECK(in_html("<p title=\"{{a}}\">", one("\" onclick=\"x\ny")) == "<p title=\"&quot; onclick=&quot;x y\">");
  CHECK(in_html("<p title='{{a}}'>", one("' b")) == "<p title='&#39; b'>");
  CHECK(in_html("{{a}}", one("\x01\x80z")) == "\xef\xbf\xbdz");
  CHECK(in_html("<style>p{}</style><!-- < --><p a=\"<\">{{a}}", one("<")) ==
        "<style>p{}</style><!-- < --><p a=\"<\">&lt;");
}

TEST_CASE("Template: a link goes to the web and nowhere else") {
  CHECK(in_html("<a href=\"{{a}}\">", one("https://x/?a=1&b=2")) == "<a href=\"https://x/?a=1&amp;b=2\">");
  CHECK(in_html("<a href=\"{{a}}/status\">", one("http://localhost")) == "<a href=\"http://localhost/status\">");
  for (const char* wrong : {"javascript:alert(1)", "data:text/html,x", "", " https://x", "https://x y", "//x"}) {
    const auto out = parsed("\n<a href=\"{{a}}\">", Form::html).render(one(wrong));
    REQUIRE_FALSE(out);
    CHECK(says(out.error().message, "en/x:2: {{a}} is to be a link"));
  }
  CHECK(in_html("<a href=\"https://x/?q={{a}}\">", one("javascript:\"")) ==
        "<a href=\"https://x/?q=javascript:&quot;\">");
}

TEST_CASE("Template: where nothing can be escaped a placeholder is refused, with file and line") {
  for (const char* text :
       {"\n<p {{a}}>", "\n<p title={{a}}>", "\n<{{a}}>", "\n<style>{{a}}</style>", "\n<script>'{{a}}'</script>",
        "\n<!-- {{a}} -->", "\n<p style=\"color:{{a}}\">", "\n<p onclick=\"{{a}}\">"}) {
    INFO(text);
    CHECK(says(mistake(text, Form::html), "en/x:2: {{a}} may stand in text and in quoted attributes"));
  }
  CHECK(says(mistake("<p title=\"x", Form::html), "ends within a tag"));
}

TEST_CASE("Template: plain text loses control characters, and the lines of a value are indented alike") {
  CHECK(in_text("x: {{a}}!", one("a\r\x1b[31m\tb")) == "x: a[31m\tb!");
  CHECK(in_text("  {{a}}\nend", one("1\n2\n3")) == "  1\n  2\n  3\nend");
  CHECK(in_text("<{{a}}>", one("&<")) == "<&<>");
}

TEST_CASE("Template: a header is one line, whatever comes") {
  CHECK(rendered("Hi {{a}}", Form::header, one("x\r\nBcc: y@z\n")) == "Hi x Bcc: y@z");
}

TEST_CASE("Template: a section is there once for each entry, whose values hide those outside") {
  const Values values{{{"a", "outer"}, {"b", "B"}}, {{"list", {{{"a", "1"}}, {{"a", "2"}}, {}}}, {"none", {}}}};
  CHECK(in_text("{{#list}}[{{a}}{{b}}]{{/list}}{{a}}", values) == "[1B][2B][outerB]outer");
  CHECK(in_text("a\n{{#list}}\n- {{a}}\n{{/list}}\nz\n", values) == "a\n- 1\n- 2\n- outer\nz\n");
  CHECK(in_text("x{{#none}}y{{/none}}z", values) == "xz");
}

TEST_CASE("Template: a section of a single value is there if the value is") {
  CHECK(in_text("x{{#a}}<{{a}}>{{/a}}", one("v")) == "x<v>");
  CHECK(in_text("x{{#a}}<{{a}}>{{/a}}", one("")) == "x");
  CHECK(in_text("x{{#b}}<{{b}}>{{/b}}", one("v")) == "x");
}

TEST_CASE("Template: a mistake names file and line") {
  CHECK(mistake("\n\n{{#a}}\n", Form::text) == "en/x:3: {{#a}} has no {{/a}}");
  CHECK(mistake("\n{{/a}}", Form::text) == "en/x:2: {{/a}} ends no section that is open here");
  CHECK(says(mistake("{{#a}}{{#b}}{{/a}}{{/b}}", Form::text), "{{/a}} ends no section"));
  CHECK(mistake("\n{{a", Form::text) == "en/x:2: {{ has no }}");
  CHECK(says(mistake("{{A}}", Form::text), "en/x:1: {{A}} is no name"));
  CHECK(says(mistake("{{}}", Form::text), "is no name"));
  CHECK(mistake("a\n{{> end}}", Form::text) == "en/x:2: there is no such part");
  const auto missing = parsed("\n{{b}}", Form::text).render(one("v"));
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message == "en/x:2: {{b}} has no value");
}

TEST_CASE("Template: a check finds names that nobody gives, also of sections") {
  const Values all{{{"a", "v"}}, {{"list", {{{"x", "1"}}}}}};
  CHECK(parsed("{{a}}{{#list}}{{x}}{{/list}}", Form::text).check(all));
  CHECK_FALSE(parsed("{{#b}}{{/b}}", Form::text).check(all));
  CHECK_FALSE(parsed("{{#list}}{{y}}{{/list}}", Form::text).check(all));
  CHECK_FALSE(parsed("{{x}}", Form::text).check(all));
}

TEST_CASE("Template: a part is put in as if it stood there, and its mistakes are its own") {
  const auto part = [](const std::string& name) -> Result<TemplateSource> {
    if (name == "twice") return TemplateSource{"en/twice", "{{> part}}"};
    return TemplateSource{"en/part", "<b>{{a}}</b>\n{{c}}\n"};
  };
  auto parsed = Template::parse({"en/x", "<p>\n{{> part}}\n</p>"}, Form::html, part);
  REQUIRE(parsed);
  const auto out = parsed->render({{{"a", "<"}, {"c", "C"}}, {}});
  REQUIRE(out);
  CHECK(*out == "<p>\n<b>&lt;</b>\nC\n</p>");
  const auto missing = parsed->render(one("v"));
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message == "en/part:2: {{c}} has no value");
  CHECK_FALSE(Template::parse({"en/x", "{{> twice}}"}, Form::html, part));
}

}  // namespace holdfast::mail
