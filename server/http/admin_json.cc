#include <boost/json.hpp>

#include "server/http/admin_figures.h"

namespace holdfast::http {
namespace {

namespace json = boost::json;

template <class All, class Each>
json::array array_of(const All& all, Each each) {
  json::array out;
  for (const auto& one : all) out.push_back(each(one));
  return out;
}

json::array numbers(const std::vector<std::uint32_t>& all) {
  return array_of(all, [](std::uint32_t one) { return json::value(one); });
}

json::object object_of(const NodeFigures& node) {
  return {{"id", node.id},
          {"name", node.name},
          {"zone", node.zone},
          {"version", node.version},
          {"peer_address", node.peer_address},
          {"client_address", node.client_address},
          {"admin_address", node.admin_address},
          {"live", node.live},
          {"life", node.life},
          {"health", node.health},
          {"draining", node.draining},
          {"sessions", node.sessions},
          {"primaries", node.primaries},
          {"in_sync", node.in_sync},
          {"copies", node.copies}};
}

json::object object_of(const PartitionFigures& partition) {
  return {{"id", partition.id},
          {"epoch", partition.epoch},
          {"primary", partition.primary},
          {"in_sync", numbers(partition.in_sync)},
          {"replicas", numbers(partition.replicas)},
          {"missing", numbers(partition.missing)},
          {"min_isr", partition.min_isr}};
}

json::object object_of(const CopyFigures& copy) {
  const auto other = [](const CopyFigures::Other& one) {
    return json::object{
        {"node", one.node}, {"matched", one.matched}, {"in_sync", one.in_sync}, {"connected", one.connected}};
  };
  return {{"partition", copy.partition}, {"role", copy.role},         {"serving", copy.serving},
          {"epoch", copy.epoch},         {"promised", copy.promised}, {"last_seq", copy.last_seq},
          {"committed", copy.committed}, {"chain", copy.chain},       {"others", array_of(copy.others, other)}};
}

std::string text(const json::object& object) { return json::serialize(object) + "\n"; }

}  // namespace

std::string to_json(const ClusterFigures& figures) {
  json::value coordinator;
  if (const auto& one = figures.coordinator)
    coordinator = json::object{{"node", one->node}, {"term", one->term}, {"since_ms", one->since_ms}};
  return text(
      {{"self", figures.self},
       {"cluster", figures.cluster},
       {"copies", figures.copies},
       {"registered", figures.registered},
       {"coordinator", coordinator},
       {"safe_mode", figures.safe_mode},
       {"problems", array_of(figures.problems, [](const std::string& one) { return json::value(one); })},
       {"nodes", array_of(figures.nodes, [](const NodeFigures& one) { return object_of(one); })},
       {"partitions", array_of(figures.partitions, [](const PartitionFigures& one) { return object_of(one); })}});
}

std::string to_json(const CopiesFigures& figures) {
  return text({{"self", figures.self},
               {"copies", array_of(figures.copies, [](const CopyFigures& one) { return object_of(one); })}});
}

std::string to_json(const PartitionDetail& detail) {
  json::object out{
      {"self", detail.self}, {"configured", object_of(detail.configured)}, {"here", object_of(detail.here)}};
  if (detail.at) out["at"] = json::object{{"seq", detail.at->seq}, {"chain", detail.at->chain}};
  return text(out);
}

std::string to_json(const EventsFigures& events) {
  const auto event = [](const EventFigures& one) {
    return json::object{{"number", one.number},   {"time_ms", one.time_ms}, {"kind", one.kind},
                        {"node", one.node},       {"by", one.by},           {"partitions", one.partitions},
                        {"took_ms", one.took_ms}, {"text", one.text}};
  };
  return text({{"self", events.self}, {"last", events.last}, {"events", array_of(events.events, event)}});
}

std::string to_json(const AuditFigures& figures) {
  const auto line = [](const AuditFigures::Line& one) {
    json::object details;
    for (const auto& [name, value] : one.details) details[name] = value;
    const auto subject = [](const auto& who) { return json::object{{"user", who.first}, {"name", who.second}}; };
    return json::object{{"number", one.number}, {"time_ms", one.time_ms}, {"actor", one.actor},
                        {"action", one.action}, {"outcome", one.outcome}, {"subjects", array_of(one.subjects, subject)},
                        {"target", one.target}, {"source", one.source},   {"why", one.why},
                        {"details", details},   {"chain", one.chain},     {"raw", one.raw}};
  };
  return text({{"partition", figures.partition},
               {"partitions", figures.partitions},
               {"first", figures.first},
               {"next", figures.next},
               {"chain", figures.chain},
               {"chain_before_first", figures.chain_before_first},
               {"next_after", figures.next_after},
               {"lines", array_of(figures.lines, line)}});
}

std::string to_json(const Error& error) { return text({{"error", name_of(error.code)}, {"message", error.message}}); }

}  // namespace holdfast::http
