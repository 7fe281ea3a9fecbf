#include "server/services/waves.h"

#include "tests/server/services/ways_back_world.h"

namespace holdfast::services {
namespace {

struct Desk : WaysBackWorld {
  chat::Caller clerk = [] {
    chat::Caller caller;
    caller.operator_rights = true;
    return caller;
  }();
  std::vector<chat::Caller> people;

  /// `reachable` with a verified address, and others without.
  void people_are(int reachable, int others) {
    for (int i = 0; i < reachable; ++i)
      people.push_back(verified_user("r" + std::to_string(i), "r" + std::to_string(i) + "@inbox.test"));
    for (int i = 0; i < others; ++i) people.push_back(user("o" + std::to_string(i)));
  }
  v1::ServerFrame start(v1::StartResetWave wish) {
    wish.set_wave(std::string(16, 'w'));
    wish.set_reason("A list of passwords was found.");
    v1::ClientFrame frame;
    *frame.mutable_start_reset_wave() = wish;
    return ask(clerk, frame);
  }
  v1::ResetWaveReply state() {
    v1::ClientFrame frame;
    frame.mutable_get_reset_wave()->set_wave(std::string(16, 'w'));
    return ask(clerk, frame).reset_wave();
  }
  std::size_t mailed() {
    std::size_t all = 0;
    for (const auto& one : people) all += mails(one, "incident_reset").size();
    // A mail decided once more would stand in the same row, under the same id, and be sent once more.
    CHECK(count_events([](const log::Event& event) {
            return event.has_reset_asked() && event.reset_asked().by() == log::ResetAsked::INCIDENT;
          }) == all);
    return all;
  }
  /// The timers of waves that are due, in all partitions.
  void run_waves() {
    for (std::uint16_t p = 0; p < backend.partitions(); ++p) {
      chat::RuleFixture& home = backend.partition(PartitionId(p));
      std::vector<std::string> due;
      for (const auto& [key, value] : home.rows) {
        const auto decoded = keys::decode(key);
        if (decoded->family == keys::Family::due && decoded->first.front() == static_cast<char>(DueKind::wave) &&
            decoded->number <= static_cast<std::uint64_t>(to_ms(home.now)))
          due.push_back(key);
      }
      for (const std::string& key : due) {
        command::Command command;
        command.mutable_run_due()->set_key(key);
        home.run(command);
      }
    }
    run_bus();
  }
};

v1::StartResetWave everybody() {
  v1::StartResetWave wish;
  wish.set_everybody(true);
  return wish;
}

}  // namespace

TEST_CASE("A wave of resets: for everybody it goes through all accounts, paced, and mails each once") {
  Desk desk;
  desk.people_are(100, 10);
  v1::StartResetWave wish = everybody();
  wish.set_per_minute(240);  // 60 for each of the four partitions
  REQUIRE(desk.start(wish).has_reset_wave());
  int minutes = 0;
  for (; !desk.state().over(); ++minutes) {
    REQUIRE(minutes < 60);
    for (int second = 0; second < 60; ++second) {
      desk.run_waves();
      desk.backend.advance(std::chrono::seconds(1));
    }
    if (minutes % 2 == 0) desk.start(wish);  // once more changes nothing
  }
  CHECK(desk.state().seen() == 110);
  CHECK(desk.state().mailed() == 100);
  CHECK(desk.state().unreachable() == 10);
  CHECK(desk.mailed() == 100);
  CHECK(minutes <= 2);
  CHECK_FALSE(desk.use(desk.link(desk.people.front(), "incident_reset"), "battery staple").has_error());
  CHECK(desk.start(wish).reset_wave().over());
  desk.run_waves();
  CHECK(desk.mailed() == 100);  // that of the used link still waits to be found unwanted
}

TEST_CASE("A wave of resets: since a time, whoever was made or logged in since") {
  Desk desk;
  desk.people_are(3, 0);
  desk.backend.advance(std::chrono::hours(1));
  v1::StartResetWave wish = everybody();
  wish.set_since_ms(to_ms(desk.backend.now()));
  REQUIRE(desk.log_in("r1", "correct horse").has_session());
  desk.people.push_back(desk.verified_user("late", "late@inbox.test"));
  wish.set_dry_run(true);
  const v1::ResetWaveReply dry = desk.start(wish).reset_wave();
  CHECK(dry.seen() == 2);
  CHECK(dry.mailed() == 2);
  CHECK(desk.mailed() == 0);
  wish.set_dry_run(false);
  desk.start(wish);
  for (int i = 0; i < 100; ++i) {
    desk.run_waves();
    desk.backend.advance(std::chrono::seconds(1));
  }
  CHECK(desk.state().over());
  CHECK(desk.mailed() == 2);
}

TEST_CASE("A wave of resets: for those named, with those whom nobody is, and nobody twice") {
  Desk desk;
  desk.people_are(5, 2);
  v1::StartResetWave wish;
  for (const char* name : {"r0", "r1", "r2", "o0", "nobody"}) wish.add_usernames(name);
  wish.set_dry_run(true);
  CHECK(desk.start(wish).reset_wave().mailed() == 3);
  CHECK(desk.mailed() == 0);
  wish.set_dry_run(false);
  for (int i = 0; i < 3; ++i) {
    const v1::ResetWaveReply reply = desk.start(wish).reset_wave();
    CHECK(reply.seen() == 4);
    CHECK(reply.mailed() == 3);
    CHECK(reply.unreachable() == 1);
    REQUIRE(reply.unknown_size() == 1);
    CHECK(reply.unknown(0) == "nobody");
    CHECK(desk.mailed() == 3);
    desk.backend.advance(std::chrono::minutes(1));
  }
}

TEST_CASE("A wave of resets: for those named it keeps to its rate, in however many requests they come") {
  Desk desk;
  desk.people_are(40, 0);
  const WallTime from = desk.backend.now();
  for (int request = 0; request < 8; ++request) {
    v1::StartResetWave wish;
    wish.set_per_minute(2);  // fewer than there are partitions
    for (int i = 0; i < 5; ++i) wish.add_usernames("r" + std::to_string(request * 5 + i));
    CHECK(desk.start(wish).reset_wave().mailed() == 5);
  }
  CHECK(desk.mailed() == 40);
  std::map<std::uint16_t, std::vector<std::int64_t>> due;  // by partition
  for (const auto& one : desk.people)
    due[partition_of(*one.user, desk.backend.partitions()).value].push_back(
        desk.mails(one, "incident_reset").front().second.due_ms() - to_ms(from));
  for (auto& [partition, times] : due) {
    std::ranges::sort(times);
    for (std::size_t i = 0; i < times.size(); ++i) {
      INFO("partition " << partition);
      CHECK(times[i] == 30'000 * partition + static_cast<std::int64_t>(i) * 120'000);  // two a minute of all four
    }
  }
  v1::StartResetWave all = everybody();
  CHECK(desk.start(all).error().code() == v1::PRECONDITION_FAILED);  // it is another wave
}

TEST_CASE("A wave of resets: without anybody named it has to be said that everybody is meant") {
  Desk desk;
  CHECK(desk.start({}).error().code() == v1::INVALID_ARGUMENT);
  v1::ClientFrame frame;
  frame.mutable_start_reset_wave()->set_wave("short");
  frame.mutable_start_reset_wave()->set_everybody(true);
  CHECK(desk.ask(desk.clerk, frame).error().code() == v1::INVALID_ARGUMENT);
  frame.Clear();
  frame.mutable_get_reset_wave()->set_wave(std::string(16, 'x'));
  CHECK(desk.ask(desk.clerk, frame).error().code() == v1::NOT_FOUND);
}

}  // namespace holdfast::services
