#include "server/mail/mailer.h"

#include <catch2/catch.hpp>
#include <condition_variable>
#include <filesystem>
#include <future>
#include <mutex>

#include "tests/storage/temp_directory.h"

namespace holdfast::mail {
namespace {

namespace fs = std::filesystem;

Mail mail(int number) {
  return {*Address::parse("a@x"), *Address::parse("b@x"), message_id_of("m" + std::to_string(number), "x"),
          from_ms(1'000 * number), "Subject: x\r\n\r\n"};
}

std::unique_ptr<Mailer> start(MailerOptions options) {
  auto mailer = Mailer::start(std::move(options));
  REQUIRE(mailer);
  return std::move(*mailer);
}

MailerOptions outbox_at(const fs::path& directory) {
  MailerOptions options;
  options.outbox.directory = directory;
  return options;
}

std::size_t files_in(const fs::path& directory) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

/// Holds up the thread that calls it until it is let go.
struct Gate {
  std::promise<void> reached, opened;
  void hold() {
    reached.set_value();
    opened.get_future().wait();
  }
};

}  // namespace

TEST_CASE("Mailer: without a relay a mail is sent when it stands in the outbox") {
  const TempDirectory folder;
  const auto mailer = start(outbox_at(folder / "outbox"));
  std::promise<Sent> answer;
  REQUIRE(mailer->send(mail(1), [&](Sent sent) { answer.set_value(std::move(sent)); }));
  const Sent sent = answer.get_future().get();
  CHECK(sent.outcome == Outcome::sent);
  CHECK(files_in(folder / "outbox") == 1);
  mailer->stop();
  CHECK(mailer->figures().sent == 1);
  CHECK(mailer->figures().queued == 0);
}

TEST_CASE("Mailer: what does not fit into the queue is not taken, and what was taken is answered once") {
  const TempDirectory folder;
  MailerOptions options = outbox_at(folder / "outbox");
  options.queue_max = 2;
  const auto mailer = start(std::move(options));
  Gate gate;
  std::atomic<int> answers = 0;
  std::vector<Outcome> outcomes;
  REQUIRE(mailer->send(mail(0), [&](Sent) {
    ++answers;
    gate.hold();
  }));
  gate.reached.get_future().wait();
  CHECK(mailer->has_room());
  const auto note = [&](Sent sent) {
    ++answers;
    outcomes.push_back(sent.outcome);
  };
  CHECK(mailer->send(mail(1), note));
  CHECK(mailer->send(mail(2), note));
  CHECK_FALSE(mailer->has_room());
  CHECK_FALSE(mailer->send(mail(3), note));
  CHECK(mailer->figures().queued == 3);
  gate.opened.set_value();
  mailer->stop();
  CHECK(answers == 3);
  // What was still waiting at the stop is for later, and nothing is lost without a word.
  const auto now = mailer->figures();
  CHECK(now.sent + now.later == 3);
  CHECK(now.sent == files_in(folder / "outbox"));
  CHECK_FALSE(mailer->send(mail(4), note));
}

TEST_CASE("Mailer: a mail that had to wait too long for its turn is not offered") {
  const TempDirectory folder;
  MailerOptions options = outbox_at(folder / "outbox");
  options.wait_max = std::chrono::milliseconds(0);
  const auto mailer = start(std::move(options));
  std::promise<Sent> answer;
  REQUIRE(mailer->send(mail(1), [&](Sent sent) { answer.set_value(std::move(sent)); }));
  CHECK(answer.get_future().get().outcome == Outcome::unoffered);
  CHECK(files_in(folder / "outbox") == 0);
}

TEST_CASE("Mailer: a mail that is another's to send when its turn comes is not offered") {
  const TempDirectory folder;
  const auto mailer = start(outbox_at(folder / "outbox"));
  Gate gate;
  REQUIRE(mailer->send(mail(0), [&](Sent) { gate.hold(); }));
  gate.reached.get_future().wait();
  std::atomic<bool> ours = true;
  std::promise<Sent> given_away, kept;
  REQUIRE(
      mailer->send(mail(1), [&](Sent sent) { given_away.set_value(std::move(sent)); }, [&] { return ours.load(); }));
  REQUIRE(mailer->send(mail(2), [&](Sent sent) { kept.set_value(std::move(sent)); }, [] { return true; }));
  ours = false;
  gate.opened.set_value();
  CHECK(given_away.get_future().get().outcome == Outcome::unoffered);
  CHECK(kept.get_future().get().outcome == Outcome::sent);
  CHECK(files_in(folder / "outbox") == 2);
}

TEST_CASE("Mailer: an outbox that can't be written to says so, and the mail is for later") {
  const TempDirectory folder;
  const auto mailer = start(outbox_at(folder / "outbox"));
  fs::remove_all(folder / "outbox");
  std::promise<Sent> answer;
  REQUIRE(mailer->send(mail(1), [&](Sent sent) { answer.set_value(std::move(sent)); }));
  CHECK(answer.get_future().get().outcome == Outcome::later);
}

}  // namespace holdfast::mail
