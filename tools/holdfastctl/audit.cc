#include "tools/holdfastctl/audit.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <ctime>
#include <iostream>
#include <thread>

#include "base/hex.h"
#include "base/time.h"
#include "storage/audit_row.h"
#include "tools/holdfastctl/audit_pages.h"
#include "tools/holdfastctl/duration.h"
#include "tools/holdfastctl/figures.h"
#include "tools/holdfastctl/options.h"

namespace holdfast::ctl {
namespace {

constexpr std::chrono::seconds kLookAgain{1};

/// "2h": so long ago; "2026-11-29" or "2026-11-29T10:00:00": that moment, UTC.
std::optional<std::int64_t> moment(const std::string& text) {
  if (text.empty()) return 0;
  if (const auto ago = parse_duration(text)) return to_ms(wall_now() - *ago);
  for (const char* format : {"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"}) {
    std::tm parts{};
    const char* end = strptime(text.c_str(), format, &parts);
    if (end != nullptr && *end == '\0') return std::int64_t{timegm(&parts)} * 1000;
  }
  return std::nullopt;
}

bool is_name(std::string_view text) {
  return !text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._-") == std::string_view::npos;
}

std::string when(std::int64_t time_ms) {
  const std::time_t seconds = time_ms / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32] = {};
  const std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
  const std::string ms = std::to_string(time_ms % 1000);
  return std::string(text, size) + "." + std::string(3 - std::min<std::size_t>(ms.size(), 3), '0') + ms;
}

/// What clients and operators wrote stands in quotes, without anything that a terminal obeys.
std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) out += (static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '"') ? '?' : c;
  return out + "\"";
}

std::string show(const http::AuditFigures::Line& line) {
  std::string out = when(line.time_ms) + "  " + line.action + " " + line.outcome + "  by " + line.actor;
  for (const auto& [user, name] : line.subjects) out += " user=" + (name.empty() ? user : name);
  if (!line.target.empty()) out += " target=" + in_quotes(line.target);
  if (!line.source.empty()) out += " from=" + line.source;
  if (!line.why.empty()) out += " why=" + in_quotes(line.why);
  for (const auto& [name, value] : line.details) out += " " + name + "=" + in_quotes(value);
  return out + "\n";
}

// ------------------------------------------------------------------------------------------------ reading

/// Of the user, or of every partition.
Result<std::vector<AuditPages>> open_pages(Admin& admin, const std::string& user, std::int64_t since_ms) {
  std::vector<AuditPages> all;
  if (!user.empty()) {
    all.emplace_back("user=" + user, since_ms);
    return all;
  }
  auto& first = all.emplace_back("partition=0", since_ms);
  if (const Status filled = first.fill(admin); !filled) return filled.error();
  const std::uint32_t partitions = first.told().partitions;
  for (std::uint32_t p = 1; p < partitions; ++p) all.emplace_back("partition=" + std::to_string(p), since_ms);
  return all;
}

/// Prints what there is, the oldest first. With `patient` a partition that can't be asked is said and passed over.
Status print(Admin& admin, std::vector<AuditPages>& all, bool json, bool patient) {
  const auto fill = [&](AuditPages& pages) -> Status {
    Status filled = pages.fill(admin);
    if (filled || !patient) return filled;
    std::cerr << "holdfastctl: " << filled.error().message << "\n";
    return Ok{};
  };
  for (AuditPages& pages : all)
    if (const Status filled = fill(pages); !filled) return filled;
  const auto time_of = [](const AuditPages& pages) { return pages.front() ? pages.front()->time_ms : INT64_MAX; };
  while (true) {
    const auto next =
        std::min_element(all.begin(), all.end(), [&](const auto& a, const auto& b) { return time_of(a) < time_of(b); });
    if (next->front() == nullptr) break;
    std::cout << (json ? audit_json(next->told().partition, *next->front()) : show(*next->front()));
    next->pop();
    if (const Status filled = fill(*next); !filled) return filled;
  }
  std::cout << std::flush;
  return Ok{};
}

int read(Admin& admin, const AuditCommand& command) {
  const auto since_ms = moment(command.since);
  if (!since_ms)
    return failed(
        {Errc::invalid_argument,
         "--since takes a length of time (30m, 12h, 7d) or a moment in UTC (2026-11-29, 2026-11-29T10:00:00)"});
  if (!command.user.empty() && !is_name(command.user))
    return failed({Errc::invalid_argument, "--user takes a name, or an id in hex"});
  auto all = open_pages(admin, command.user, *since_ms);
  if (!all) return failed(all.error());
  if (const Status printed = print(admin, *all, command.json, false); !printed) return failed(printed.error());
  while (command.follow) {
    std::this_thread::sleep_for(kLookAgain);
    if (const Status printed = print(admin, *all, command.json, true); !printed) return failed(printed.error());
  }
  return kExitOk;
}

// ------------------------------------------------------------------------------------------------ verifying

state::AuditHead head_of(const http::AuditFigures& told) {
  state::AuditHead head;
  head.set_first(told.first);
  head.set_next(told.next);
  head.set_chain(from_hex(told.chain).value_or(""));
  head.set_chain_before_first(from_hex(told.chain_before_first).value_or(""));
  return head;
}

struct Checked {
  std::uint64_t lines = 0;
  std::string chain;  ///< of the newest line
  std::optional<std::string> wrong;
};

/// One partition's lines, from the first that is kept to the head as it was told first.
Result<Checked> check_once(Admin& admin, std::uint32_t partition) {
  AuditPages pages("partition=" + std::to_string(partition), 0);
  if (const Status filled = pages.fill(admin); !filled) return filled.error();
  const state::AuditHead head = head_of(pages.told());
  AuditChain chain(head);
  Checked checked{head.next() - head.first(), pages.told().chain, {}};
  while (!checked.wrong && !chain.is_complete()) {
    const auto* line = pages.front();
    if (line == nullptr) break;
    const auto before = from_hex(line->chain), text = from_hex(line->raw);
    checked.wrong = chain.next(line->number, before.value_or("") + text.value_or(""));
    pages.pop();
    if (const Status filled = pages.fill(admin); !filled) return filled.error();
  }
  // Lines whose time was over may have been removed meanwhile.
  if (checked.wrong && pages.told().first > chain.expected()) return Error{Errc::retry_later, "trimmed meanwhile"};
  if (!checked.wrong) checked.wrong = chain.end();
  return checked;
}

Result<Checked> check(Admin& admin, std::uint32_t partition) {
  constexpr int kTries = 5;
  for (int i = 1;; ++i) {
    auto checked = check_once(admin, partition);
    const bool trimmed = !checked && checked.error().message == "trimmed meanwhile";
    if (!trimmed || i == kTries) return checked;
  }
}

int verify(Admin& admin, bool json) {
  AuditPages first("partition=0", 0);
  if (const Status filled = first.fill(admin); !filled) return failed(filled.error());
  std::uint64_t lines = 0, broken = 0;
  for (std::uint32_t p = 0; p < first.told().partitions; ++p) {
    const auto checked = check(admin, p);
    if (!checked)
      return failed({checked.error().code, "partition " + std::to_string(p) + ": " + checked.error().message});
    lines += checked->lines;
    if (json)
      std::cout << "{\"partition\":" << p << ",\"lines\":" << checked->lines << ",\"chain\":\"" << checked->chain
                << "\",\"ok\":" << (checked->wrong ? "false" : "true") << "}\n";
    if (!checked->wrong) continue;
    ++broken;
    std::cerr << "holdfastctl: partition " << p << ": " << *checked->wrong << "\n";
  }
  if (broken > 0)
    return failed({Errc::corrupt, std::to_string(broken) + " of " + std::to_string(first.told().partitions) +
                                      " partitions' audit journals don't hold together"});
  if (!json)
    std::cout << lines << " lines in " << first.told().partitions
              << " partitions: every one is as it was written, and none is missing.\n";
  return kExitOk;
}

}  // namespace

void add_audit(CLI::App& app, AuditCommand& command) {
  command.audit = app.add_subcommand("audit", "what happened to accounts and to the cluster")->fallthrough();
  command.audit->add_option("-u,--user", command.user, "only what concerns this user: a name, or an id in hex");
  command.audit->add_option("--since", command.since, "30m, 12h, 7d ago, or a moment in UTC: 2026-11-29T10:00:00");
  command.audit->add_flag("-f,--follow", command.follow, "go on as things happen");
  command.audit->add_flag("--json", command.json, "one object a line");
  command.verify =
      command.audit->add_subcommand("verify", "find lines that were altered or removed; --json gives the chain values")
          ->fallthrough();
}

std::optional<int> run_audit(const AuditCommand& command, const Asked& asked) {
  if (!command.audit->parsed()) return std::nullopt;
  auto admin = make_admin(asked);
  if (!admin) return failed(admin.error());
  return command.verify->parsed() ? verify(*admin, command.json) : read(*admin, command);
}

}  // namespace holdfast::ctl
