#include "server/http/html.h"

#include <algorithm>

namespace holdfast::http {
namespace {

/// A file of its own: the policy allows no style within a page.
constexpr const char* kStyle = R"(:root {
  color-scheme: light dark;
  --paper: #f5f6f8; --card: #fff; --ink: #1b1f24; --soft: #59636e; --line: #d5dae0;
  --accent: #0b5cad; --on-accent: #fff; --good: #18794e; --warn: #ad5700; --bad: #b42318; --bad-paper: #fef3f2;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171b; --card: #1d2126; --ink: #e8eaed; --soft: #a0a8b1; --line: #3a424b;
    --accent: #6cb2f7; --on-accent: #0c1a29; --good: #4cc38a; --warn: #ffa057; --bad: #ff9b8f; --bad-paper: #3a1d1a;
  }
}
* { box-sizing: border-box; }
body {
  font: 1.05rem/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif;
  margin: 0; padding: 8vh 1rem 3rem; background: var(--paper); color: var(--ink);
}
main, footer { max-width: 31rem; margin: 0 auto; }
main {
  background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 2.2rem 2.2rem 1.8rem;
  box-shadow: 0 1px 2px rgb(0 0 0 / 5%), 0 8px 28px rgb(0 0 0 / 6%);
}
h1 { font-size: 1.75rem; line-height: 1.25; margin: 0 0 .8rem; letter-spacing: -.015em; text-wrap: balance; }
p { margin: 0 0 1rem; }
a { color: var(--accent); }
ul { margin: 0 0 1.2rem; padding-left: 1.2rem; color: var(--soft); font-size: .95rem; }
strong { font-weight: 600; overflow-wrap: anywhere; }
form { margin: 1.4rem 0 .6rem; }
label { display: block; font-weight: 600; margin: 0 0 .35rem; }
.hint { color: var(--soft); font-size: .93rem; margin: .35rem 0 1.2rem; }
input[type=text], input[type=password] {
  font: inherit; width: 100%; padding: .62rem .8rem; margin: 0 0 1.2rem; color: inherit; background: var(--card);
  border: 1px solid var(--soft); border-radius: 8px;
}
input + .hint { margin-top: -.8rem; }
input:focus-visible, button:focus-visible, a:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
input[aria-invalid=true] { border-color: var(--bad); border-width: 2px; }
input[readonly] { background: var(--paper); color: var(--soft); }
.code { font-family: ui-monospace, "Liberation Mono", monospace; letter-spacing: .06em; text-transform: uppercase; }
button {
  font: inherit; font-weight: 600; width: 100%; padding: .7rem 1rem; border: 0; border-radius: 8px; cursor: pointer;
  background: var(--accent); color: var(--on-accent);
}
button:hover { filter: brightness(1.08); }
.error {
  background: var(--bad-paper); color: var(--bad); border-radius: 8px; padding: .7rem .9rem; margin: 0 0 1.2rem;
}
.more { font-size: .95rem; color: var(--soft); margin: 1.2rem 0 0; }
.state { display: inline-block; padding: .1rem .7rem; border-radius: 1rem; border: 1px solid currentColor; }
.state.up { color: var(--good); }
.state.down { color: var(--warn); }
footer { margin-top: 1.2rem; font-size: .88rem; color: var(--soft); text-align: center; }
@media (max-width: 30rem) { body { padding-top: 1rem; } main { padding: 1.5rem 1.3rem; } }
)";

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

HttpResponse html_page(const Page& page) {
  const std::string heading = escape_html(page.heading);
  HttpResponse response;
  response.status = page.status;
  response.content_type = "text/html; charset=utf-8";
  response.body =
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"robots\" content=\"noindex\">\n<title>" +
      heading + "</title>\n<link rel=\"stylesheet\" href=\"/style.css\">\n</head>\n<body>\n<main>\n<h1>" + heading +
      "</h1>\n" + page.content + "\n</main>\n";
  if (!page.footer.empty()) response.body += "<footer>" + page.footer + "</footer>\n";
  response.body += "</body>\n</html>\n";
  return guarded(std::move(response));
}

HttpResponse guarded(HttpResponse response) {
  const bool says_cache = std::ranges::any_of(response.headers, [](const auto& h) { return h.first == "cache-control"; });
  if (!says_cache) response.headers.emplace_back("cache-control", "no-store");
  response.headers.emplace_back("content-security-policy",
                                "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; "
                                "frame-ancestors 'none'");
  response.headers.emplace_back("x-content-type-options", "nosniff");
  response.headers.emplace_back("x-frame-options", "DENY");
  response.headers.emplace_back("referrer-policy", "no-referrer");
  response.headers.emplace_back("cross-origin-opener-policy", "same-origin");
  return response;
}

HttpResponse style_sheet() {
  HttpResponse response;
  response.content_type = "text/css; charset=utf-8";
  response.body = kStyle;
  return guarded(std::move(response));
}

}  // namespace holdfast::http
