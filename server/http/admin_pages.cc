#include "server/http/admin_pages.h"

#include <charconv>
#include <map>
#include <utility>

namespace holdfast::http {
namespace {

using Parameters = std::map<std::string, std::uint64_t, std::less<>>;

constexpr std::string_view kAdmin = "/admin/";

HttpResponse json(unsigned status, std::string body) {
  HttpResponse response;
  response.status = status;
  response.content_type = "application/json";
  response.body = std::move(body);
  response.headers.emplace_back("cache-control", "no-store");
  return response;
}

unsigned status_of(Errc code) {
  switch (code) {
    case Errc::invalid_argument:
    case Errc::too_large: return 400;
    case Errc::permission_denied: return 401;
    case Errc::not_found: return 404;
    case Errc::not_primary:
    case Errc::already_exists:
    case Errc::in_use: return 409;
    case Errc::retry_later: return 503;
    default: return 500;
  }
}

HttpResponse failed(const Error& error) { return json(status_of(error.code), to_json(error)); }
HttpResponse failed(Errc code, std::string message) { return failed(Error{code, std::move(message)}); }

/// As JSON, or as the error that it is.
template <class T>
HttpResponse told(const Result<T>& result) {
  return result ? json(200, to_json(*result)) : failed(result.error());
}

std::optional<std::uint64_t> number(std::string_view text, std::uint64_t max) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > max) return std::nullopt;
  return value;
}

/// "a=1&b=2", each of `wanted` and nothing else; a name ending in '?' may be missing.
Result<Parameters> parameters(std::string_view query, std::initializer_list<std::string_view> wanted) {
  Parameters found;
  const auto known = [&wanted](std::string_view name) {
    for (const auto one : wanted)
      if (one == name || one == std::string(name) + "?") return true;
    return false;
  };
  while (!query.empty()) {
    const auto part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(part.size() + 1, query.size()));
    const auto equals = part.find('=');
    const std::string name(part.substr(0, equals));
    if (!known(name)) return Error{Errc::invalid_argument, "there is no parameter '" + name + "' here"};
    const bool is_id = name != "at" && name != "since" && name != "backup" && name != "epoch";
    const auto value = equals == std::string_view::npos
                           ? std::nullopt
                           : number(part.substr(equals + 1), is_id ? 0xffffffffULL : ~std::uint64_t{0});
    if (!value) return Error{Errc::invalid_argument, "the parameter '" + name + "' wants a number"};
    found[name] = *value;
  }
  for (const auto one : wanted)
    if (!one.ends_with('?') && !found.contains(one))
      return Error{Errc::invalid_argument, "the parameter '" + std::string(one) + "' is missing"};
  return found;
}

std::optional<std::uint64_t> optional(const Parameters& all, std::string_view name) {
  const auto at = all.find(name);
  return at == all.end() ? std::nullopt : std::optional(at->second);
}

void get_partition(const AdminParts& parts, std::string_view name, std::string_view query, const HttpReply& reply) {
  const auto id = number(name, 0xffff);
  if (!id)
    return reply(failed(Errc::invalid_argument, "'" + std::string(name) + "' is no partition: they have numbers"));
  const auto given = parameters(query, {"at?"});
  if (!given) return reply(failed(given.error()));
  parts.partition(static_cast<std::uint32_t>(*id), optional(*given, "at"),
                  [reply](const Result<PartitionDetail>& detail) { reply(told(detail)); });
}

void get(const AdminParts& parts, std::string_view what, std::string_view query, const HttpReply& reply) {
  constexpr std::string_view kPartitions = "partitions/";
  if (what.starts_with(kPartitions)) return get_partition(parts, what.substr(kPartitions.size()), query, reply);
  if (what == "events") {
    const auto given = parameters(query, {"since?"});
    if (!given) return reply(failed(given.error()));
    return parts.events(optional(*given, "since").value_or(0),
                        [reply](const Result<EventsFigures>& events) { reply(told(events)); });
  }
  if (what == "cluster") return parts.cluster([reply](const Result<ClusterFigures>& figures) { reply(told(figures)); });
  if (what == "copies")
    return parts.copies([reply](const CopiesFigures& figures) { reply(json(200, to_json(figures))); });
  reply(failed(Errc::not_found, "there are /admin/cluster, /admin/copies, /admin/partitions/N and /admin/events"));
}

Result<AdminAction> action_of(std::string_view what, std::string_view query) {
  using Kind = AdminAction::Kind;
  static const std::map<std::string_view, Kind> kinds{
      {"drain", Kind::drain},         {"undrain", Kind::undrain}, {"move", Kind::move},
      {"rebalance", Kind::rebalance}, {"remove", Kind::remove},   {"unsafe-recover", Kind::unsafe_recover}};
  const auto kind = kinds.find(what);
  if (kind == kinds.end())
    return Error{Errc::not_found, "what can be asked for: drain, undrain, move, rebalance, remove, unsafe-recover"};
  auto given = kind->second == Kind::rebalance        ? parameters(query, {})
               : kind->second == Kind::move           ? parameters(query, {"partition", "node"})
               : kind->second == Kind::unsafe_recover ? parameters(query, {"partition", "node", "epoch", "at"})
                                                      : parameters(query, {"node"});
  if (!given) return given.error();
  return AdminAction{kind->second, static_cast<std::uint32_t>(optional(*given, "node").value_or(0)),
                     static_cast<std::uint32_t>(optional(*given, "partition").value_or(0)),
                     optional(*given, "epoch").value_or(0), optional(*given, "at").value_or(0)};
}

Result<BackupRequest> backup_of(std::string_view what, std::string_view query) {
  using Kind = BackupRequest::Kind;
  static const std::map<std::string_view, Kind> kinds{{"settings", Kind::settings},
                                                      {"hold", Kind::hold},
                                                      {"release", Kind::release},
                                                      {"piece", Kind::piece},
                                                      {"end", Kind::end}};
  const auto kind = kinds.find(what);
  if (kind == kinds.end())
    return Error{Errc::not_found, "of a backup there are settings, hold, release, piece and end"};
  const auto given = kind->second == Kind::settings ? parameters(query, {})
                     : kind->second == Kind::piece  ? parameters(query, {"backup", "node", "partition"})
                                                    : parameters(query, {"backup", "node"});
  if (!given) return given.error();
  const auto value = [&](std::string_view name) { return optional(*given, name).value_or(0); };
  return BackupRequest{kind->second, value("backup"), static_cast<std::uint32_t>(value("node")),
                       static_cast<std::uint32_t>(value("partition"))};
}

void post_backup(const AdminParts& parts, std::string_view what, std::string_view query, const HttpReply& reply) {
  const auto request = backup_of(what, query);
  if (!request) return reply(failed(request.error()));
  parts.backup(*request, [reply](Result<std::string> bytes) {
    if (!bytes) return reply(failed(bytes.error()));
    HttpResponse response = json(200, std::move(*bytes));
    response.content_type = "application/octet-stream";
    reply(std::move(response));
  });
}

void post(const AdminParts& parts, const HttpRequest& request, std::string_view what, const HttpReply& reply) {
  constexpr std::string_view kBearer = "Bearer ";
  const auto authorization = request.header("authorization");
  if (!authorization.starts_with(kBearer) || !parts.is_operator(authorization.substr(kBearer.size()))) {
    auto refused = failed(Errc::permission_denied,
                          "changes want the operators' key, which is in operator.key of the node's data directory: "
                          "Authorization: Bearer KEY");
    refused.headers.emplace_back("www-authenticate", "Bearer");
    return reply(std::move(refused));
  }
  constexpr std::string_view kBackup = "backup-";
  if (what.starts_with(kBackup)) return post_backup(parts, what.substr(kBackup.size()), request.query(), reply);
  const auto action = action_of(what, request.query());
  if (!action) return reply(failed(action.error()));
  parts.act(*action,
            [reply](const Status& done) { reply(done ? json(202, "{\"ok\":true}\n") : failed(done.error())); });
}

}  // namespace

HttpAsyncHandler admin_pages(AdminParts parts, HttpHandler others) {
  return [parts = std::move(parts), others = std::move(others)](const HttpRequest& request, const HttpReply& reply) {
    const auto path = request.path();
    if (!path.starts_with(kAdmin)) return reply(others(request));
    const auto what = path.substr(kAdmin.size());
    if (request.method == "GET") return get(parts, what, request.query(), reply);
    if (request.method == "POST") return post(parts, request, what, reply);
    auto refused = failed(Errc::unsupported, "only GET and POST");
    refused.status = 405;
    refused.headers.emplace_back("allow", "GET, HEAD, POST");
    reply(std::move(refused));
  };
}

}  // namespace holdfast::http
