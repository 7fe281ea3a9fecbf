#include "server/http/pages.h"

namespace holdfast::http {
namespace {

HttpResponse text(unsigned status, std::string body) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  response.headers.emplace_back("cache-control", "no-store");
  return response;
}

HttpResponse not_allowed() {
  auto response = text(405, "only GET\n");
  response.headers.emplace_back("allow", "GET, HEAD");
  return response;
}

HttpResponse ready_or_not(const Readiness& readiness) {
  return readiness.ready ? text(200, "ready\n") : text(503, "not ready: " + readiness.why + "\n");
}

HttpResponse metrics_text(const MetricsSource& source) {
  Metrics metrics;
  source(metrics);
  auto response = text(200, metrics.text());
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  return response;
}

/// A file of its own: the policy allows no style within a page.
constexpr const char* kStyle = R"(:root { color-scheme: light dark; }
body { font: 1.05rem/1.6 system-ui, sans-serif; max-width: 38rem; margin: 12vh auto; padding: 0 1.5rem; }
h1 { font-size: 2.2rem; line-height: 1.2; margin: 0 0 .6rem; letter-spacing: -.02em; }
p { margin: 0 0 1rem; }
.state { display: inline-block; padding: .1rem .7rem; border-radius: 1rem; border: 1px solid currentColor; }
.state.up { color: #18794e; }
.state.down { color: #ad5700; }
footer { margin-top: 3rem; font-size: .9rem; opacity: .7; }
@media (prefers-color-scheme: dark) { .state.up { color: #4cc38a; } .state.down { color: #ffa057; } }
)";

std::string front_page(const PublicPages& parts) {
  const bool ready = parts.readiness().ready;
  return std::string(R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Holdfast</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<main>
<h1>Holdfast</h1>
<p>This is a chat server. Your app talks to it; there is nothing to see here in a browser yet.</p>
<p><span class="state )") +
         (ready ? R"(up">taking clients)" : R"(down">starting)") + R"(</span></p>
</main>
<footer>Holdfast )" +
         parts.version + R"(</footer>
</body>
</html>
)";
}

HttpResponse guarded(HttpResponse response) {
  response.headers.emplace_back("content-security-policy",
                                "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
                                "frame-ancestors 'none'");
  response.headers.emplace_back("x-content-type-options", "nosniff");
  response.headers.emplace_back("referrer-policy", "no-referrer");
  return response;
}

}  // namespace

HttpHandler operator_pages(OperatorPages parts) {
  return [parts = std::move(parts)](const HttpRequest& request) {
    if (request.method != "GET") return not_allowed();
    const auto path = request.path();
    if (path == "/healthz") return text(200, "ok\n");
    if (path == "/readyz") return ready_or_not(parts.readiness());
    if (path == "/metrics") return metrics_text(parts.metrics);
    return text(404, "there are /healthz, /readyz and /metrics\n");
  };
}

HttpHandler public_pages(PublicPages parts) {
  return [parts = std::move(parts)](const HttpRequest& request) {
    if (request.method != "GET") return guarded(not_allowed());
    HttpResponse response = text(404, "not found\n");
    if (request.path() == "/") {
      response = text(200, front_page(parts));
      response.content_type = "text/html; charset=utf-8";
    } else if (request.path() == "/style.css") {
      response = text(200, kStyle);
      response.content_type = "text/css; charset=utf-8";
    }
    return guarded(std::move(response));
  };
}

}  // namespace holdfast::http
