#include "server/http/admin_pages.h"

#include <charconv>
#include <map>
#include <utility>

#include "server/chat/validation.h"

namespace holdfast::http {
namespace {

using Parameters = std::map<std::string, std::uint64_t, std::less<>>;

constexpr std::string_view kAdmin = "/admin/";
constexpr std::size_t kNameBytesMax = 256;
constexpr std::size_t kTokenBytesMax = 512;

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
    const bool is_id = name != "at" && name != "since" && name != "backup" && name != "epoch" && name != "after";
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
  reply(failed(Errc::not_found,
               "there are /admin/cluster, /admin/copies, /admin/partitions/N, /admin/events and /admin/audit"));
}

constexpr std::size_t kOperatorBytesMax = 128;
constexpr std::string_view kOperatorHeader = "x-holdfast-operator";

/// What operators write goes into rows and the journal, which hold text: nothing, or what is wrong.
std::optional<Error> bad_text(const HttpRequest& request) {
  const auto name = request.header(kOperatorHeader);
  if (auto bad = chat::bad_text("X-Holdfast-Operator", name, kOperatorBytesMax))
    return Error{Errc::invalid_argument, *bad};
  for (const std::string_view text : {request.query(), std::string_view(request.body)})
    if (!chat::is_utf8(text)) return Error{Errc::invalid_argument, "text: not valid UTF-8"};
  return std::nullopt;
}

Asker asker_of(const HttpRequest& request) {
  return {request.remote.substr(0, request.remote.rfind(':')), std::string(request.header(kOperatorHeader))};
}

bool has_key(const AdminParts& parts, const HttpRequest& request) {
  constexpr std::string_view kBearer = "Bearer ";
  const auto authorization = request.header("authorization");
  return authorization.starts_with(kBearer) && parts.is_operator(authorization.substr(kBearer.size()));
}

void refuse_keyless(std::string_view what, const HttpReply& reply) {
  auto refused =
      failed(Errc::permission_denied, std::string(what) +
                                          " the operators' key, which is in operator.key of the node's data directory: "
                                          "Authorization: Bearer KEY");
  refused.headers.emplace_back("www-authenticate", "Bearer");
  reply(std::move(refused));
}

/// The value of a parameter that is no number, which `query` is left without; empty: there is none.
std::string take_text(std::string& query, std::string_view name) {
  std::string value, rest;
  for (std::string_view left = query; !left.empty();) {
    const auto part = left.substr(0, left.find('&'));
    left.remove_prefix(std::min(part.size() + 1, left.size()));
    if (part.starts_with(name) && part.substr(name.size()).starts_with('='))
      value = part.substr(name.size() + 1);
    else
      rest.append(rest.empty() ? "" : "&").append(part);
  }
  query = std::move(rest);
  return value;
}

void get_export(const AdminParts& parts, const HttpRequest& request, const HttpReply& reply) {
  if (!has_key(parts, request)) return refuse_keyless("what is stored about a user wants", reply);
  std::string query(request.query());
  ExportRequest ask{take_text(query, "user"), take_text(query, "from"), asker_of(request)};
  if (const auto given = parameters(query, {}); !given) return reply(failed(given.error()));
  if (ask.user.empty() || ask.user.size() > kNameBytesMax || ask.from.size() > kTokenBytesMax)
    return reply(failed(Errc::invalid_argument, "about whom? user=NAME, and from=TOKEN as the page before said"));
  parts.exported(std::move(ask), [reply](Result<std::string> page) {
    reply(page ? json(200, std::move(*page)) : failed(page.error()));
  });
}

void get_audit(const AdminParts& parts, const HttpRequest& request, const HttpReply& reply) {
  if (!has_key(parts, request)) return refuse_keyless("the audit journal wants", reply);
  std::string query(request.query());
  std::string user = take_text(query, "user");
  const auto given = parameters(query, {"partition?", "after?", "since?", "limit?"});
  if (!given) return reply(failed(given.error()));
  AuditRequest ask;
  if (const auto partition = optional(*given, "partition")) ask.partition = static_cast<std::uint32_t>(*partition);
  if (ask.partition.has_value() == !user.empty() || user.size() > kNameBytesMax)
    return reply(failed(Errc::invalid_argument, "whose lines? either partition=N, or user=NAME"));
  ask.user = std::move(user);
  ask.after = optional(*given, "after").value_or(0);
  ask.since_ms = static_cast<std::int64_t>(optional(*given, "since").value_or(0));
  ask.limit = static_cast<std::uint32_t>(optional(*given, "limit").value_or(ask.limit));
  parts.audit(std::move(ask), [reply](const Result<AuditFigures>& figures) { reply(told(figures)); });
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

void post_backup(const AdminParts& parts, std::string_view what, const HttpRequest& from, const HttpReply& reply) {
  auto request = backup_of(what, from.query());
  if (!request) return reply(failed(request.error()));
  request->asker = asker_of(from);
  parts.backup(*request, [reply](Result<std::string> bytes) {
    if (!bytes) return reply(failed(bytes.error()));
    HttpResponse response = json(200, std::move(*bytes));
    response.content_type = "application/octet-stream";
    reply(std::move(response));
  });
}

void post_incident(const AdminParts& parts, std::string_view what, const HttpRequest& request, const HttpReply& reply) {
  using Kind = IncidentRequest::Kind;
  static const std::map<std::string_view, Kind> kinds{
      {"start", Kind::start}, {"update", Kind::update}, {"stop", Kind::stop}};
  const auto kind = kinds.find(what);
  if (kind == kinds.end()) return reply(failed(Errc::not_found, "of an incident there are start, update and stop"));
  if (const auto given = parameters(request.query(), {}); !given) return reply(failed(given.error()));
  parts.incident({kind->second, request.body, asker_of(request)},
                 [reply](const Status& done) { reply(done ? json(202, "{\"ok\":true}\n") : failed(done.error())); });
}

void post(const AdminParts& parts, const HttpRequest& request, std::string_view what, const HttpReply& reply) {
  if (!has_key(parts, request)) return refuse_keyless("changes want", reply);
  constexpr std::string_view kBackup = "backup-";
  if (what.starts_with(kBackup)) return post_backup(parts, what.substr(kBackup.size()), request, reply);
  constexpr std::string_view kIncident = "incident-";
  if (what.starts_with(kIncident)) return post_incident(parts, what.substr(kIncident.size()), request, reply);
  auto action = action_of(what, request.query());
  if (!action) return reply(failed(action.error()));
  action->asker = asker_of(request);
  parts.act(*action,
            [reply](const Status& done) { reply(done ? json(202, "{\"ok\":true}\n") : failed(done.error())); });
}

}  // namespace

HttpAsyncHandler admin_pages(AdminParts parts, HttpHandler others) {
  return [parts = std::move(parts), others = std::move(others)](const HttpRequest& request, const HttpReply& reply) {
    const auto path = request.path();
    if (!path.starts_with(kAdmin)) return reply(others(request));
    const auto what = path.substr(kAdmin.size());
    if (const auto bad = bad_text(request)) return reply(failed(*bad));
    if (request.method == "GET" && what == "audit") return get_audit(parts, request, reply);
    if (request.method == "GET" && what == "export") return get_export(parts, request, reply);
    if (request.method == "GET") return get(parts, what, request.query(), reply);
    if (request.method == "POST") return post(parts, request, what, reply);
    auto refused = failed(Errc::unsupported, "only GET and POST");
    refused.status = 405;
    refused.headers.emplace_back("allow", "GET, HEAD, POST");
    reply(std::move(refused));
  };
}

}  // namespace holdfast::http
