/// What the two HTTP listeners answer.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "net/http.h"
#include "server/http/metrics.h"

namespace holdfast::http {

/// Whether this server takes clients now, and if not, why: "replaying the log".
struct Readiness {
  bool ready = false;
  std::string why;
};

struct OperatorPages {
  std::function<Readiness()> readiness;
  MetricsSource metrics;
};

/// /healthz: 200 while the process answers at all. /readyz: 200 or 503 with the reason. /metrics: Prometheus. GET only
/// (405); anything else is 404. Never cached.
HttpHandler operator_pages(OperatorPages parts);

/// More pages for users, with a path each. True: it is one of them, and `reply` is or will be called.
using UserPages = std::function<bool(const HttpRequest& request, const HttpReply& reply)>;

struct PublicPages {
  std::string version;
  std::function<Readiness()> readiness;
  std::vector<UserPages> more{};
};

/// /: says what this is, as HTML without scripts or anything from elsewhere. Every answer carries a strict
/// Content-Security-Policy.
HttpAsyncHandler public_pages(PublicPages parts);

}  // namespace holdfast::http
