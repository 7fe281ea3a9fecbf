#include "tools/holdfast-chaos/report.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>
#include <cmath>
#include <fstream>
#include <set>

namespace holdfast::chaos {
namespace {

namespace json = boost::json;

/// Whole numbers: JSON of Boost would write 560.1 as 5.601E2.
std::int64_t whole(double value) { return std::llround(value); }

json::object of(const Figures& figures) {
  return {
      {"p50", whole(figures.p50)}, {"p99", whole(figures.p99)}, {"max", whole(figures.max)}, {"count", figures.count}};
}

/// The summary is to be read by people, too: one member a line.
std::string pretty(const json::object& object) {
  std::string out = "{";
  const char* before = "\n";
  for (const auto& member : object) {
    out += before;
    out += "  " + json::serialize(json::value(member.key())) + ": " + json::serialize(member.value());
    before = ",\n";
  }
  return out + "\n}\n";
}

json::array texts(const std::vector<std::string>& all) {
  json::array array;
  for (const std::string& one : all) array.emplace_back(one);
  return array;
}

json::array each_fault(const History& history) {
  json::array all;
  const auto outages = outages_of(history);
  for (std::size_t i = 0; i < outages.size(); ++i) {
    const Fault& fault = history.faults[i];
    std::vector<Micros> waits;
    for (const Outage& one : outages[i].outages) waits.push_back(one.to - one.from);
    all.emplace_back(json::object{{"kind", fault.kind},
                                  {"target", fault.target},
                                  {"at_ms", fault.began / 1'000},
                                  {"held_ms", (fault.ended - fault.began) / 1'000},
                                  {"healthy_ms", fault.healthy < 0 ? -1 : (fault.healthy - fault.ended) / 1'000},
                                  {"outage_ms", of(figures_of(waits))},
                                  {"partition_ms", of(figures_of(outages[i].partitions))},
                                  {"back_ms", of(figures_of(outages[i].devices_back))},
                                  {"idle_back_ms", of(figures_of(outages[i].idle_back))},
                                  {"delivery_ms", of(figures_of(outages[i].deliveries))}});
  }
  return all;
}

}  // namespace

Counts counts_of(const Report& report) {
  Counts counts;
  for (const Operation& sent : report.history->operations) {
    ++counts.sent;
    counts.acked += sent.outcome == Operation::Outcome::ok;
    counts.refused += sent.outcome == Operation::Outcome::refused;
    counts.unknown += sent.outcome == Operation::Outcome::unknown;
  }
  for (const Visit& visit : report.history->visits) {
    if (visit.acked < 0) continue;
    ++counts.sessions_ended;
    for (const Try& one : visit.tries) counts.tries_after += one.invoked > visit.acked;
  }
  std::set<std::string> ids;
  for (const Letter& letter : report.history->mail.letters) counts.letters += letter.acked >= 0;
  for (const Mail& mail : report.history->mail.mails) {
    if (mail.refused) continue;
    ++counts.mails;
    counts.mails_repeated += !ids.insert(mail.id).second;
  }
  auto found = count(report.violations);
  counts.lost = found[Kind::lost] + found[Kind::not_delivered] + found[Kind::phantom];
  counts.duplicated = found[Kind::duplicated];
  counts.out_of_order = found[Kind::out_of_order];
  counts.mails_missing = found[Kind::mail_missing];
  return counts;
}

std::string summary_json(const Report& report) {
  const Counts counts = counts_of(report);
  json::object faults, outage, partition, back, idle_back, delivery, healthy;
  for (const auto& [kind, figures] : by_kind(*report.history)) {
    faults[kind] = figures.faults;
    outage[kind] = of(figures.outage);
    partition[kind] = of(figures.partition);
    back[kind] = of(figures.back);
    idle_back[kind] = of(figures.idle_back);
    delivery[kind] = of(figures.delivery);
    healthy[kind] = of(figures.healthy);
  }
  json::array violations;
  for (const Violation& one : report.violations)
    violations.emplace_back(json::object{{"rule", rule_of(one.kind)}, {"kind", name_of(one.kind)}, {"what", one.text}});
  return pretty({{"verdict", report.good() ? "good" : "violated"},
                 {"acked", counts.acked},
                 {"lost", counts.lost},
                 {"duplicated", counts.duplicated},
                 {"out_of_order", counts.out_of_order},
                 {"mails", counts.mails},
                 {"mails_missing", counts.mails_missing},
                 {"mails_repeated", counts.mails_repeated},
                 {"faults", faults},
                 {"outage_ms", outage},
                 {"violations", violations},
                 {"seed", report.seed},
                 {"command", report.command},
                 {"sent", counts.sent},
                 {"refused", counts.refused},
                 {"unknown", counts.unknown},
                 {"sessions_ended", counts.sessions_ended},
                 {"tries_after", counts.tries_after},
                 {"letters", counts.letters},
                 {"partition_ms", partition},
                 {"back_ms", back},
                 {"idle_back_ms", idle_back},
                 {"delivery_ms", delivery},
                 {"healthy_ms", healthy},
                 {"goals_missed", texts(report.missed_goals)},
                 {"notes", texts(report.notes)},
                 {"seconds", whole(static_cast<double>(report.history->sending_ended) / 1e6)},
                 {"nodes", report.nodes},
                 {"clients", report.clients},
                 {"rate", whole(report.rate)},
                 {"partitions", report.history->partitions},
                 {"began", report.began},
                 {"each", each_fault(*report.history)}});
}

namespace {

void write_mail(const MailHistory& mail, std::ostream& out) {
  for (std::size_t i = 0; i < mail.letters.size(); ++i) {
    const Letter& one = mail.letters[i];
    const Talk& talk = mail.talks[one.talk];
    out << R"({"letter":)" << i << R"(,"talk":)" << one.talk << R"(,"reader":")" << mail.readers[talk.reader].name
        << R"(","muted":)" << (talk.muted ? "true" : "false") << R"(,"acked":)" << one.acked << R"(,"number":)"
        << one.number << R"(,"shown":)" << one.shown << R"(,"acknowledged":)" << one.acknowledged
        << R"(,"delete_asked":)" << one.delete_asked << R"(,"deleted":)" << one.deleted << "}\n";
  }
  for (const Mail& one : mail.mails)
    out << R"({"mail":)" << json::serialize(json::value(one.id)) << R"(,"reader":")" << mail.readers[one.reader].name
        << R"(","offered":)" << one.offered << R"(,"taken":)" << one.taken << R"(,"refused":)"
        << (one.refused ? "true" : "false") << R"(,"letters":)" << json::serialize(json::value_from(one.letters))
        << R"(,"more":)" << one.more << "}\n";
}

}  // namespace

Status write_history(const History& history, const std::filesystem::path& file) {
  std::ofstream out(file);
  for (std::size_t i = 0; i < history.conversations.size(); ++i)
    out << R"({"conversation":)" << i << R"(,"id":")" << history.conversations[i].id << "\"}\n";
  for (const Fault& one : history.faults)
    out << R"({"fault":")" << one.kind << R"(","target":")" << one.target << R"(","began":)" << one.began
        << R"(,"ended":)" << one.ended << R"(,"healthy":)" << one.healthy << "}\n";
  static constexpr const char* kOutcomes[] = {"unknown", "ok", "refused"};
  for (std::size_t i = 0; i < history.operations.size(); ++i) {
    const Operation& one = history.operations[i];
    out << R"({"message":)" << i << R"(,"device":")" << history.devices[one.device].name << R"(","conversation":)"
        << one.conversation << R"(,"invoked":)" << one.invoked << R"(,"completed":)" << one.completed
        << R"(,"outcome":")" << kOutcomes[static_cast<std::size_t>(one.outcome)] << R"(","number":)" << one.number
        << "}\n";
  }
  for (std::size_t i = 0; i < history.visits.size(); ++i) {
    const Visit& visit = history.visits[i];
    out << R"({"session":)" << i << R"(,"user":)" << visit.user << R"(,"asked":)" << visit.asked << R"(,"acked":)"
        << visit.acked << R"(,"how":")" << visit.how << "\"}\n";
    for (const Try& one : visit.tries)
      out << R"({"try":)" << i << R"(,"node":")" << one.node << R"(","invoked":)" << one.invoked << R"(,"completed":)"
          << one.completed << R"(,"accepted":)" << (one.accepted ? "true" : "false") << "}\n";
  }
  write_mail(history.mail, out);
  for (const Device& device : history.devices) {
    for (const Shown& one : device.shown) {
      out << R"({"shown":")" << device.name << R"(","when":)" << one.when << R"(,"position":)" << one.position
          << R"(,"conversation":)" << one.conversation << R"(,"number":)" << one.sight.number;
      if (one.sight.operation) out << R"(,"message":)" << *one.sight.operation;
      out << "}\n";
    }
    for (const Trouble& one : device.troubles)
      out << R"({"trouble":")" << device.name << R"(","when":)" << one.when << R"(,"delay":)" << one.delay
          << R"(,"why":)" << json::serialize(json::value(one.why)) << "}\n";
    for (const Resumed& one : device.resumed)
      out << R"({"resumed":")" << device.name << R"(","when":)" << one.when << R"(,"away":)" << one.away << "}\n";
  }
  out.flush();
  return out ? Status(Ok{}) : Status(Error{Errc::io, "can't write " + file.string()});
}

Status write_report(const Report& report, const std::filesystem::path& folder) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) return Error{Errc::io, "can't make " + folder.string() + ": " + failed.message()};
  for (const auto& [name, text] : {std::pair<const char*, std::string>{"summary.json", summary_json(report)},
                                   {"report.html", report_html(report)}}) {
    std::ofstream out(folder / name);
    out << text;
    out.flush();
    if (!out) return Error{Errc::io, "can't write " + (folder / name).string()};
  }
  return write_history(*report.history, folder / "history.jsonl");
}

}  // namespace holdfast::chaos
