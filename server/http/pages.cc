#include "server/http/pages.h"

#include "server/http/html.h"

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

HttpResponse front_page(const PublicPages& parts) {
  const bool ready = parts.readiness().ready;
  const std::string state = ready ? R"(up">taking clients)" : R"(down">starting)";
  return html_page(
      {200, "Holdfast",
       "<p>This is a chat server. Your app talks to it; there is nothing to see here in a browser yet.</p>\n"
       "<p><span class=\"state " +
           state + "</span></p>\n<p class=\"more\"><a href=\"/reset\">Forgotten your password?</a></p>",
       "Holdfast " + escape_html(parts.version)});
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

HttpAsyncHandler public_pages(PublicPages parts) {
  return [parts = std::move(parts)](const HttpRequest& request, const HttpReply& reply) {
    for (const UserPages& pages : parts.more)
      if (pages(request, reply)) return;
    if (request.method != "GET") return reply(guarded(not_allowed()));
    if (request.path() == "/") return reply(front_page(parts));
    if (request.path() == "/style.css") return reply(style_sheet());
    reply(guarded(text(404, "not found\n")));
  };
}

}  // namespace holdfast::http
