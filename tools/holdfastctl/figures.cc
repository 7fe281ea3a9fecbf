#include "tools/holdfastctl/figures.h"

#include <boost/json.hpp>

namespace holdfast::ctl {
namespace {

namespace json = boost::json;

/// Reads members of objects; what does not fit is remembered once, and reads as nothing from there on.
class Reader {
 public:
  explicit Reader(std::string_view text) {
    json::error_code error;
    root_ = json::parse({text.data(), text.size()}, error);
    if (error) wrong_ = "that is no JSON: " + error.message();
  }
  const json::value& root() const { return root_; }

  void read(const json::value& of, const char* key, std::string& into) {
    if (const auto* found = member(of, key))
      found->is_string() ? void(into = std::string(found->as_string())) : wrong(key);
  }
  void read(const json::value& of, const char* key, bool& into) {
    if (const auto* found = member(of, key)) found->is_bool() ? void(into = found->as_bool()) : wrong(key);
  }
  template <class Number>
    requires std::is_integral_v<Number>
  void read(const json::value& of, const char* key, Number& into) {
    if (const auto* found = member(of, key)) number(*found, key, into);
  }
  void read(const json::value& of, const char* key, std::vector<std::uint32_t>& into) {
    each(of, key, [&](const json::value& one) { number(one, key, into.emplace_back()); });
  }
  /// What earlier versions do not tell.
  template <class Into>
  void read_if_there(const json::value& of, const char* key, Into& into) {
    const auto* object = of.if_object();
    if (object != nullptr && object->contains(key)) read(of, key, into);
  }
  template <class Each>
  void each(const json::value& of, const char* key, Each call) {
    const auto* found = member(of, key);
    if (found == nullptr) return;
    if (!found->is_array()) return wrong(key);
    for (const auto& one : found->as_array()) call(one);
  }
  const json::value* member(const json::value& of, const char* key) {
    const auto* object = of.if_object();
    const auto* found = object != nullptr ? object->if_contains(key) : nullptr;
    if (found == nullptr) wrong(key);
    return found;
  }
  void wrong(const char* key) {
    if (wrong_.empty()) wrong_ = std::string("'") + key + "' is missing or of another kind";
  }
  template <class T>
  Result<T> done(T value) const {
    if (!wrong_.empty()) return Error{Errc::corrupt, "the node's answer can't be read: " + wrong_};
    return value;
  }

 private:
  template <class Number>
  void number(const json::value& value, const char* key, Number& into) {
    json::error_code error;
    into = value.to_number<Number>(error);
    if (error) wrong(key);
  }

  json::value root_;
  std::string wrong_;
};

http::NodeFigures node_of(Reader& in, const json::value& from) {
  http::NodeFigures node;
  in.read(from, "id", node.id);
  in.read(from, "name", node.name);
  in.read(from, "zone", node.zone);
  in.read(from, "version", node.version);
  in.read(from, "peer_address", node.peer_address);
  in.read(from, "client_address", node.client_address);
  in.read(from, "admin_address", node.admin_address);
  in.read(from, "live", node.live);
  in.read(from, "life", node.life);
  in.read(from, "health", node.health);
  in.read(from, "draining", node.draining);
  in.read(from, "sessions", node.sessions);
  in.read(from, "primaries", node.primaries);
  in.read(from, "in_sync", node.in_sync);
  in.read(from, "copies", node.copies);
  return node;
}

http::PartitionFigures partition_of(Reader& in, const json::value& from) {
  http::PartitionFigures partition;
  in.read(from, "id", partition.id);
  in.read(from, "epoch", partition.epoch);
  in.read(from, "primary", partition.primary);
  in.read(from, "in_sync", partition.in_sync);
  in.read(from, "replicas", partition.replicas);
  in.read(from, "min_isr", partition.min_isr);
  in.read_if_there(from, "missing", partition.missing);
  return partition;
}

http::CopyFigures copy_of(Reader& in, const json::value& from) {
  http::CopyFigures copy;
  in.read(from, "partition", copy.partition);
  in.read(from, "role", copy.role);
  in.read(from, "serving", copy.serving);
  in.read(from, "epoch", copy.epoch);
  in.read(from, "promised", copy.promised);
  in.read(from, "last_seq", copy.last_seq);
  in.read(from, "committed", copy.committed);
  in.read(from, "chain", copy.chain);
  in.each(from, "others", [&](const json::value& one) {
    auto& other = copy.others.emplace_back();
    in.read(one, "node", other.node);
    in.read(one, "matched", other.matched);
    in.read(one, "in_sync", other.in_sync);
    in.read(one, "connected", other.connected);
  });
  return copy;
}

}  // namespace

Result<http::ClusterFigures> parse_cluster(std::string_view text) {
  Reader in(text);
  http::ClusterFigures figures;
  in.read(in.root(), "self", figures.self);
  in.read_if_there(in.root(), "cluster", figures.cluster);
  in.read_if_there(in.root(), "copies", figures.copies);
  in.read(in.root(), "registered", figures.registered);
  in.read(in.root(), "safe_mode", figures.safe_mode);
  in.each(in.root(), "problems", [&](const json::value& one) {
    one.is_string() ? void(figures.problems.emplace_back(one.as_string())) : in.wrong("problems");
  });
  in.each(in.root(), "nodes", [&](const json::value& one) { figures.nodes.push_back(node_of(in, one)); });
  in.each(in.root(), "partitions",
          [&](const json::value& one) { figures.partitions.push_back(partition_of(in, one)); });
  const auto* coordinator = in.member(in.root(), "coordinator");
  if (coordinator != nullptr && !coordinator->is_null()) {
    http::ClusterFigures::Coordinator one{};
    in.read(*coordinator, "node", one.node);
    in.read(*coordinator, "term", one.term);
    in.read(*coordinator, "since_ms", one.since_ms);
    figures.coordinator = one;
  }
  return in.done(std::move(figures));
}

Result<http::CopiesFigures> parse_copies(std::string_view text) {
  Reader in(text);
  http::CopiesFigures figures;
  in.read(in.root(), "self", figures.self);
  in.each(in.root(), "copies", [&](const json::value& one) { figures.copies.push_back(copy_of(in, one)); });
  return in.done(std::move(figures));
}

Result<http::PartitionDetail> parse_partition(std::string_view text) {
  Reader in(text);
  http::PartitionDetail detail;
  in.read(in.root(), "self", detail.self);
  if (const auto* one = in.member(in.root(), "configured")) detail.configured = partition_of(in, *one);
  if (const auto* one = in.member(in.root(), "here")) detail.here = copy_of(in, *one);
  const auto* object = in.root().if_object();
  if (const auto* at = object != nullptr ? object->if_contains("at") : nullptr) {
    http::PartitionDetail::At one{};
    in.read(*at, "seq", one.seq);
    in.read(*at, "chain", one.chain);
    detail.at = one;
  }
  return in.done(std::move(detail));
}

Result<http::EventsFigures> parse_events(std::string_view text) {
  Reader in(text);
  http::EventsFigures events;
  in.read(in.root(), "self", events.self);
  in.read(in.root(), "last", events.last);
  in.each(in.root(), "events", [&](const json::value& from) {
    auto& one = events.events.emplace_back();
    in.read(from, "number", one.number);
    in.read(from, "time_ms", one.time_ms);
    in.read(from, "kind", one.kind);
    in.read(from, "node", one.node);
    in.read(from, "by", one.by);
    in.read(from, "partitions", one.partitions);
    in.read(from, "took_ms", one.took_ms);
    in.read(from, "text", one.text);
  });
  return in.done(std::move(events));
}

std::string with_lags(std::string_view cluster, const std::map<std::uint32_t, std::uint64_t>& lags) {
  json::value root = json::parse({cluster.data(), cluster.size()});
  for (json::value& node : root.as_object().at("nodes").as_array()) {
    const auto lag = lags.find(node.at("id").to_number<std::uint32_t>());
    node.as_object()["lag"] = lag == lags.end() ? json::value(nullptr) : json::value(lag->second);
  }
  return json::serialize(root) + "\n";
}

std::string event_json(const http::EventFigures& event) {
  const json::object object{{"number", event.number},   {"time_ms", event.time_ms}, {"kind", event.kind},
                            {"node", event.node},       {"by", event.by},           {"partitions", event.partitions},
                            {"took_ms", event.took_ms}, {"text", event.text}};
  return json::serialize(object) + "\n";
}

namespace {

http::AuditFigures::Line line_of(Reader& in, const json::value& from) {
  http::AuditFigures::Line line;
  in.read(from, "number", line.number);
  in.read(from, "chain", line.chain);
  in.read(from, "raw", line.raw);
  in.read(from, "time_ms", line.time_ms);
  in.read(from, "action", line.action);
  in.read(from, "outcome", line.outcome);
  in.read(from, "actor", line.actor);
  in.read(from, "target", line.target);
  in.read(from, "source", line.source);
  in.read(from, "why", line.why);
  in.each(from, "subjects", [&](const json::value& one) {
    auto& [user, name] = line.subjects.emplace_back();
    in.read(one, "user", user);
    in.read(one, "name", name);
  });
  const auto* details = in.member(from, "details");
  if (details == nullptr || !details->is_object()) return in.wrong("details"), line;
  for (const auto& [name, value] : details->as_object()) {
    auto& [known, said] = line.details.emplace_back(std::string(name), std::string());
    in.read(*details, known.c_str(), said);
  }
  return line;
}

}  // namespace

Result<http::AuditFigures> parse_audit(std::string_view text) {
  Reader in(text);
  http::AuditFigures figures;
  in.read(in.root(), "partition", figures.partition);
  in.read(in.root(), "partitions", figures.partitions);
  in.read(in.root(), "first", figures.first);
  in.read(in.root(), "next", figures.next);
  in.read(in.root(), "chain", figures.chain);
  in.read(in.root(), "chain_before_first", figures.chain_before_first);
  in.read(in.root(), "next_after", figures.next_after);
  in.each(in.root(), "lines", [&](const json::value& one) { figures.lines.push_back(line_of(in, one)); });
  return in.done(std::move(figures));
}

std::string audit_json(std::uint32_t partition, const http::AuditFigures::Line& line) {
  json::array subjects;
  for (const auto& [user, name] : line.subjects) subjects.push_back(json::object{{"user", user}, {"name", name}});
  json::object details;
  for (const auto& [name, value] : line.details) details[name] = value;
  const json::object object{{"partition", partition}, {"number", line.number},   {"time_ms", line.time_ms},
                            {"action", line.action},  {"outcome", line.outcome}, {"actor", line.actor},
                            {"subjects", subjects},   {"target", line.target},   {"source", line.source},
                            {"why", line.why},        {"details", details}};
  return json::serialize(object) + "\n";
}

std::optional<std::string> parse_error(std::string_view text) {
  Reader in(text);
  std::string message;
  in.read(in.root(), "message", message);
  if (message.empty()) return std::nullopt;
  return message;
}

}  // namespace holdfast::ctl
