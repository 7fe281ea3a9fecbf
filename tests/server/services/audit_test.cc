#include "server/services/audit.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "server/services/flows.h"
#include "storage/audit_row.h"
#include "storage/keys.h"
#include "tests/support/fake_backend.h"
#include "tests/support/requests.h"

namespace holdfast::services {
namespace {

using chat::RuleFixture;
using state::AuditLine;
using std::chrono::hours;

/// The subscriber at work on one partition's events: what Partition and its feeds do.
class Follower {
 public:
  explicit Follower(RuleFixture& partition, std::uint16_t partitions = 1) : at_(partition), partitions_(partitions) {}

  /// Everything that happened since the last time; `twice`: each command comes again, as after a crash.
  void catch_up(bool twice = false) {
    for (; next_ < at_.all_events.size(); ++next_) {
      log::Entry entry;
      entry.set_seq(next_ + 1);
      *entry.add_events() = at_.all_events[next_];
      chat::MapView view(at_.rows, nullptr);
      bus::Outcome outcome;
      audit_.on_event({PartitionId(0), partitions_, entry, 0}, view, outcome);
      for (auto& [to, command] : outcome.commands) {
        auto& source = *command.mutable_source();
        source.set_subscriber("audit");
        source.set_seq(next_ + 1);
        const std::size_t known = at_.all_events.size();
        at_.run(command);
        if (twice) at_.run(command);
        REQUIRE(at_.all_events.size() == known);  // or it would never end
      }
    }
  }

 private:
  Audit audit_;
  RuleFixture& at_;
  const std::uint16_t partitions_;
  std::size_t next_ = 0;
};

command::AuditPage show(RuleFixture& at, const command::ShowAudit& ask) {
  command::Command command;
  *command.mutable_show_audit() = ask;
  return at.run(command).audit_page();
}

command::ShowAudit all(std::uint64_t after = 0, std::uint32_t limit = 500) {
  command::ShowAudit ask;
  ask.set_after(after);
  ask.set_limit(limit);
  return ask;
}

AuditLine line_of(const command::AuditPage::Row& row) {
  AuditLine line;
  const auto parts = split_audit_row(row.row());
  REQUIRE(parts);
  REQUIRE(line.ParseFromArray(parts->line.data(), static_cast<int>(parts->line.size())));
  return line;
}

std::vector<std::string> told(const command::AuditPage& page) {
  std::vector<std::string> lines;
  for (const auto& row : page.rows()) {
    const AuditLine line = line_of(row);
    lines.push_back(line.action() + " " + line.outcome());
  }
  return lines;
}

/// What `holdfastctl audit verify` says of the partition.
std::string verdict(RuleFixture& at) {
  const auto page = show(at, all());
  AuditChain chain(page.head());
  for (const auto& row : page.rows())
    if (const auto wrong = chain.next(row.number(), row.row())) return *wrong;
  return chain.end().value_or("whole");
}

void note(RuleFixture& at, const std::string& operation) {
  command::Command command;
  command.mutable_note_operator()->set_operation(operation);
  at.run(command);
}

/// A journal of so many lines, one an hour.
struct Journal : RuleFixture {
  Follower follower{*this};
  explicit Journal(int lines) {
    for (int i = 1; i <= lines; ++i) {
      now += hours(1);
      note(*this, "act " + std::to_string(i));
      follower.catch_up();
    }
  }
};

void run_timers(RuleFixture& at) {
  std::vector<std::string> due;
  for (const auto& [key, value] : at.rows) {
    const auto decoded = keys::decode(key);
    if (decoded->family == keys::Family::due && decoded->number <= static_cast<std::uint64_t>(to_ms(at.now)))
      due.push_back(key);
  }
  for (const std::string& key : due) {
    command::Command command;
    command.mutable_run_due()->set_key(key);
    at.run(command);
  }
}

/// Until nothing is due any more at this time.
void settle_timers(RuleFixture& at) {
  for (int round = 0; round < 100; ++round) {
    run_timers(at);
    at.now += std::chrono::seconds(2);
  }
}

}  // namespace

TEST_CASE("Audit: a user's story stands in the journal, in order, with who, whence and why") {
  chat::FakeBackend backend(1);
  RuleFixture& home = backend.partition(PartitionId(0));
  Follower follower(home);
  v1::ClientFrame registration = chat::registration(backend, "anna", "correct horse");
  registration.mutable_register_()->set_email("anna@example.org");
  chat::Caller stranger;
  stranger.peer_address = "192.0.2.7";
  const auto made = backend.run(stranger, registration);
  REQUIRE(made.logged_in);
  backend.run(stranger, chat::login(backend, "anna", "tr0ub4dor and 3"));
  backend.run(stranger, chat::login(backend, "anna", "tr0ub4dor and 4"));
  backend.advance(std::chrono::minutes(2));
  const auto back = backend.run(stranger, chat::login(backend, "anna", "correct horse"));
  REQUIRE(back.logged_in);
  chat::Caller caller = chat::caller_after(back);
  backend.run(caller, requests::revoke(made.logged_in->session));
  follower.catch_up();

  const auto page = show(home, all());
  CHECK(told(page) == std::vector<std::string>{"account_create done", "address_set done", "log_in refused",
                                               "log_in done", "session_end done"});
  const AuditLine failed = line_of(page.rows(2));
  CHECK(failed.source() == "192.0.2.7");
  CHECK(failed.actor() == AuditLine::ANYBODY);
  REQUIRE(failed.subjects_size() == 1);
  CHECK(failed.subjects(0).name() == "anna");
  const AuditLine logged_in = line_of(page.rows(3));
  CHECK(logged_in.details(2).name() == "failed_before");
  CHECK(logged_in.details(2).value() == "1");  // the second, within the minute of the first
  CHECK(line_of(page.rows(4)).why() == "revoked");
  CHECK(verdict(home) == "whole");

  for (const auto& [key, value] : home.rows) {
    if (keys::decode(key)->family != keys::Family::audit) continue;
    for (const char* secret : {"correct horse", "tr0ub4dor", "anna@example.org"})
      CHECK(value.find(secret) == std::string::npos);
  }
}

TEST_CASE("Audit: a name that nobody has is never written down: it may be a password in the wrong field") {
  chat::FakeBackend backend(1);
  RuleFixture& home = backend.partition(PartitionId(0));
  Follower follower(home);
  for (int i = 0; i < 40; ++i) {
    backend.run({}, chat::login(backend, "hunter2", "does not matter"));
    backend.advance(std::chrono::minutes(5));
  }
  follower.catch_up();
  const auto lines = told(show(home, all()));
  CHECK(std::ranges::count(lines, "log_in_lock done") > 0);
  for (const auto& [key, value] : home.rows)
    if (keys::decode(key)->family == keys::Family::audit) {
      CHECK(value.find("hunter2") == std::string::npos);
      // Nor what a guess could be compared with.
      const std::string hash(as_bytes(blake2b_256({"hunter2"})));
      CHECK(value.find(hash.substr(0, 4)) == std::string::npos);
      CHECK(value.find(to_hex(hash).substr(0, 8)) == std::string::npos);
    }
}

TEST_CASE("Audit: a storm of failed log-ins is a line a minute for each name, and every failure is counted") {
  RuleFixture at;
  at.limits.login_failures_free = at.limits.login_failures_lock = 1'000'000;
  Follower follower(at);
  command::Command command;
  command.mutable_finish_login()->set_username("nobody");
  constexpr int kTries = 600;
  for (int i = 0; i < kTries; ++i) {
    at.now += std::chrono::seconds(1);
    at.run(command);
  }
  at.now += hours(2);
  command::Command sweep;
  sweep.mutable_sweep()->set_family(static_cast<std::uint32_t>(keys::Family::attempts));
  at.run(sweep);
  follower.catch_up();
  const auto page = show(at, all());
  CHECK(page.rows_size() <= kTries / 60 + 2);
  int counted = 0;
  for (const auto& row : page.rows()) {
    const AuditLine line = line_of(row);
    for (const auto& detail : line.details())
      if (detail.name() == "failures") counted += std::stoi(detail.value());
  }
  CHECK(counted == kTries);
}

TEST_CASE("Audit: an event told again, as after a crash, is one line") {
  RuleFixture at;
  note(at, "one");
  note(at, "two");
  Follower follower(at);
  follower.catch_up(true);
  CHECK(told(show(at, all())) == std::vector<std::string>{"one done", "two done"});
}

TEST_CASE("Audit: a line that was altered, removed or cut off the end is found") {
  Journal journal(9);
  CHECK(verdict(journal) == "whole");
  const auto rows = journal.rows;
  SECTION("altered") {
    std::string& row = journal.rows.at(keys::audit(4));
    row[row.find("act 4") + 4] = '5';
    CHECK(verdict(journal) == "line 4 was altered, or what stood before it");
  }
  SECTION("altered, with a chain value that fits") {
    const auto line = split_audit_row(rows.at(keys::audit(9)))->line;
    journal.rows.at(keys::audit(4)) = make_audit_row(rows.at(keys::audit(3)).substr(0, kAuditChainBytes), line);
    CHECK(verdict(journal) == "line 5 was altered, or what stood before it");
  }
  SECTION("removed in the middle") {
    journal.rows.erase(keys::audit(4));
    CHECK(verdict(journal) == "line 4 is missing");
  }
  SECTION("removed at the front") {
    journal.rows.erase(keys::audit(1));
    CHECK(verdict(journal) == "line 1 is missing");
  }
  SECTION("removed at the end") {
    journal.rows.erase(keys::audit(8));
    journal.rows.erase(keys::audit(9));
    CHECK(verdict(journal) == "lines 8 to 9 are missing");
  }
  SECTION("all of them") {
    for (std::uint64_t i = 1; i <= 9; ++i) journal.rows.erase(keys::audit(i));
    CHECK(verdict(journal) == "lines 1 to 9 are missing");
  }
  SECTION("two changed places") {
    std::swap(journal.rows.at(keys::audit(4)), journal.rows.at(keys::audit(5)));
    CHECK(verdict(journal) == "line 4 was altered, or what stood before it");
  }
}

TEST_CASE("Audit: lines go from the front when their time is over, and what is left still holds together") {
  constexpr int kLines = 600;  // more than one round of trimming
  Journal journal(kLines);
  journal.limits.audit_keep = hours(100);
  settle_timers(journal);
  journal.now += hours(24);
  settle_timers(journal);
  const auto page = show(journal, all());
  CHECK(page.head().first() == kLines - 100 + 24 + 1);
  CHECK(page.rows_size() == 100 - 24);
  CHECK(verdict(journal) == "whole");

  journal.now += hours(200);  // nobody does anything meanwhile
  settle_timers(journal);
  CHECK(show(journal, all()).rows_size() == 0);
  CHECK(verdict(journal) == "whole");
  note(journal, "one more");
  journal.follower.catch_up();
  CHECK(told(show(journal, all())) == std::vector<std::string>{"one more done"});
  CHECK(verdict(journal) == "whole");
}

TEST_CASE("Audit: with a user's lines go their places in the user's index") {
  RuleFixture at;
  const UserId user = at.fresh_user();
  at.limits.audit_keep = hours(10);
  command::Command append;
  append.mutable_append_audit()->mutable_line()->add_subjects()->set_user(user.str());
  at.run(append);
  REQUIRE(at.rows.contains(keys::audit_of(user, 1)));
  at.now += hours(11);
  settle_timers(at);
  CHECK_FALSE(at.rows.contains(keys::audit_of(user, 1)));
  CHECK_FALSE(at.rows.contains(keys::audit(1)));
}

TEST_CASE("Audit: pages go on where the last one ended, and begin at a time") {
  Journal journal(30);
  const auto first = show(journal, all(0, 20));
  CHECK(first.rows_size() == 20);
  CHECK(first.next() == 20);
  const auto second = show(journal, all(first.next(), 20));
  CHECK(second.rows_size() == 10);
  CHECK(show(journal, all(second.next(), 20)).rows_size() == 0);
  CHECK(show(journal, all(second.next(), 20)).next() == 0);
  for (int hour = 0; hour <= 31; ++hour) {
    command::ShowAudit since = all();
    since.set_since_ms(to_ms(journal.now - hours(30 - hour)));
    INFO("since hour " << hour);
    const auto page = show(journal, since);
    CHECK(page.rows_size() == std::min(30, 31 - hour));
  }
}

TEST_CASE("Audit: GetAuditLog tells users what concerns them, newest first, and not where others were") {
  chat::FakeBackend backend(1);
  RuleFixture& home = backend.partition(PartitionId(0));
  Follower follower(home);
  chat::Caller stranger;
  stranger.peer_address = "192.0.2.7";
  const auto anna = backend.run(stranger, chat::registration(backend, "anna", "correct horse"));
  chat::new_user(backend, "berta");
  command::Command suspend;
  suspend.set_user(anna.logged_in->user.str());
  suspend.set_idempotency_id(backend.fresh_id().str());
  auto& status = *suspend.mutable_change_account()->mutable_set_status();
  status.set_status(v1::ACTIVE);
  status.set_reason("looked at");
  status.set_peer("198.51.100.1");
  home.run(suspend);
  follower.catch_up();

  const auto ask = [&](std::uint64_t before, std::uint32_t limit) {
    v1::ClientFrame frame;
    frame.mutable_get_audit_log()->set_before(before);
    frame.mutable_get_audit_log()->set_limit(limit);
    v1::ServerFrame answer;
    services::run_request(backend, chat::caller_after(anna), frame,
                          [&](chat::RequestOutcome outcome) { answer = std::move(outcome.frame); }, {});
    backend.settle();
    return answer;
  };
  const auto newest = ask(0, 1).audit_log();
  REQUIRE(newest.entries_size() == 1);
  CHECK(newest.entries(0).actor() == "operator");
  CHECK(newest.entries(0).why() == "looked at");
  CHECK(newest.entries(0).source().empty());
  const auto rest = ask(newest.next_before(), 100).audit_log();
  REQUIRE(rest.entries_size() == 1);
  CHECK(rest.entries(0).action() == "account_create");
  CHECK(rest.entries(0).source() == "192.0.2.7");
  CHECK(rest.entries(0).own());
  CHECK(ask(0, 0).error().code() == v1::INVALID_ARGUMENT);
  CHECK(ask(0, 101).error().code() == v1::INVALID_ARGUMENT);
}

TEST_CASE("Audit: a role given in a group stands with both whom it concerns, wherever they live") {
  constexpr std::uint16_t kPartitions = 4;
  log::Entry entry;
  auto& given = *entry.add_events()->mutable_role_given();
  const UserId owner({0, 1, 1}), member({0, 3, 1});
  given.set_user(member.str());
  given.set_by(owner.str());
  given.set_conversation(ConversationId({0, 2}).str());
  given.set_role("ADMIN");
  chat::RowMap rows;
  chat::MapView view(rows, nullptr);
  bus::Outcome outcome;
  Audit().on_event({PartitionId(2), kPartitions, entry, 0}, view, outcome);
  REQUIRE(outcome.commands.size() == 2);
  CHECK(outcome.commands[0].first == PartitionId(3));
  CHECK(outcome.commands[1].first == PartitionId(1));
  RuleFixture home(kPartitions, PartitionId(3));
  home.run(outcome.commands[0].second);
  CHECK(home.rows.contains(keys::audit_of(member, 1)));
  CHECK_FALSE(home.rows.contains(keys::audit_of(owner, 1)));  // looked for elsewhere
}

}  // namespace holdfast::services
