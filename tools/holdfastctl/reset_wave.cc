#include "tools/holdfastctl/reset_wave.h"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <ctime>
#include <fstream>
#include <iostream>

#include "base/hash.h"
#include "base/random.h"
#include "clients/cpp/await.h"
#include "tools/holdfastctl/command.h"
#include "tools/holdfastctl/duration.h"
#include "tools/holdfastctl/options.h"

namespace holdfast::ctl {
namespace {

constexpr std::size_t kNamesOfARequest = 500;  // by the protocol
constexpr std::chrono::seconds kLookEvery{1};

int refused(const std::string& why) {
  std::cerr << "holdfastctl: " << why << "\n";
  return kExitUsage;
}

std::optional<std::string> from_hex(const std::string& text) {
  if (text.size() != 32 || text.find_first_not_of("0123456789abcdef") != std::string::npos) return std::nullopt;
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16)));
  return bytes;
}

std::optional<std::vector<std::string>> names_in(const std::string& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  std::vector<std::string> names;
  for (std::string line; std::getline(file, line);) {
    while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back()))) line.pop_back();
    if (!line.empty()) names.push_back(line);
  }
  return names;
}

void add(const v1::ResetWaveReply& one, v1::ResetWaveReply& all) {
  all.set_seen(all.seen() + one.seen());
  all.set_mailed(all.mailed() + one.mailed());
  all.set_unreachable(all.unreachable() + one.unreachable());
  all.mutable_unknown()->MergeFrom(one.unknown());
}

/// The whole wave in as many requests as it takes; the sum.
struct Round {
  int code = kExitOk;
  v1::ResetWaveReply sum;
};
Awaitable<Round> ask_all(client::Client* to, v1::StartResetWave wish, std::vector<std::string> names, Report report) {
  Round round;
  std::size_t at = 0;
  do {
    v1::ClientFrame frame;
    v1::StartResetWave& start = *frame.mutable_start_reset_wave();
    start = wish;
    for (std::size_t i = 0; i < kNamesOfARequest && at < names.size(); ++i) start.add_usernames(names[at++]);
    const auto reply = co_await asking(*to, std::move(frame));
    if (!reply.ok()) {
      round.code = report(reply);
      co_return round;
    }
    add(reply.frame.reset_wave(), round.sum);
  } while (at < names.size());
  co_return round;
}

Awaitable<int> follow(client::Client* to, std::string wave, std::uint64_t expected, Report report) {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
  for (;;) {
    v1::ClientFrame frame;
    frame.mutable_get_reset_wave()->set_wave(wave);
    const auto reply = co_await asking(*to, std::move(frame));
    if (!reply.ok()) co_return report(reply);
    const v1::ResetWaveReply& state = reply.frame.reset_wave();
    std::cout << "mailed " << state.mailed() << " of about " << expected << ", unreachable " << state.unreachable()
              << (state.over() ? ", done" : "") << std::endl;
    if (state.over()) co_return kExitOk;
    timer.expires_after(kLookEvery);
    co_await timer.async_wait(boost::asio::use_awaitable);
  }
}

}  // namespace

std::optional<WallTime> parse_since(std::string_view text, WallTime now) {
  if (const auto ago = parse_duration(text)) return now - *ago;
  std::tm parts{};
  const std::string copy(text);
  const char* end = strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return from_ms(static_cast<std::int64_t>(timegm(&parts)) * 1000);
}

Awaitable<int> run_reset_wave(client::Client* to, ResetWave wish, Report report) {
  if ((wish.users_file.empty() ? 0 : 1) + (wish.since.empty() ? 0 : 1) + (wish.all ? 1 : 0) != 1)
    co_return refused("whom? One of --users FILE, --since TIME and --all");
  if (wish.send && wish.reason.empty()) co_return refused("--send wants --reason: it stands in the mail");
  SystemRandom random;
  const auto wave = wish.wave.empty() ? std::optional(random.id<IntentId>().str()) : from_hex(wish.wave);
  if (!wave) co_return refused("--wave takes the 32 digits that an earlier start printed");
  std::vector<std::string> names;
  if (!wish.users_file.empty()) {
    auto found = names_in(wish.users_file);
    if (!found) co_return refused("cannot read " + wish.users_file);
    if (found->empty()) co_return refused(wish.users_file + " names nobody");
    names = std::move(*found);
  }
  v1::StartResetWave start;
  start.set_wave(*wave);
  start.set_everybody(names.empty());
  start.set_per_minute(wish.per_minute);
  start.set_reason(wish.reason);
  start.set_dry_run(true);
  if (!wish.since.empty()) {
    const auto since = parse_since(wish.since, wall_now());
    if (!since) co_return refused("--since takes a time like 12h (ago) or 2026-11-29T08:00:00Z");
    start.set_since_ms(to_ms(*since));
  }
  const Round look = co_await ask_all(to, start, names, report);
  if (look.code != kExitOk) co_return look.code;
  std::cout << look.sum.seen() << " accounts: " << look.sum.mailed() << " to be mailed, " << look.sum.unreachable()
            << " without an address that mail reaches\n";
  for (const std::string& name : look.sum.unknown()) std::cerr << "holdfastctl: " << name << ": no such user\n";
  if (!wish.send) {
    std::cout << "Nothing was sent. With --send it is.\n";
    co_return kExitOk;
  }
  std::cout << "wave " << to_hex(*wave) << " (to take it up again: --wave " << to_hex(*wave) << ")" << std::endl;
  start.set_dry_run(false);
  const Round sent = co_await ask_all(to, start, names, report);
  if (sent.code != kExitOk) co_return sent.code;
  if (names.empty()) co_return co_await follow(to, *wave, look.sum.mailed(), report);
  std::cout << "mailed " << sent.sum.mailed() << ", unreachable " << sent.sum.unreachable() << ", done\n";
  co_return kExitOk;
}

}  // namespace holdfast::ctl
