#include "tests/bench/storms.h"

#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <thread>

#include "base/time.h"
#include "proto/frame.h"
#include "server/chat/passwords.h"
#include "tests/bench/crowd.h"
#include "tests/bench/fan_out.h"
#include "tests/bench/server.h"
#include "tests/bench/unread.h"

namespace holdfast::bench {
namespace {

constexpr std::uint16_t kPartitions = 64;
constexpr std::size_t kRequestBytes = 64;

void say(const std::string& what) { fmt::print(stderr, "{}\n", what); }

/// Of several rounds, the medians.
class Rounds {
 public:
  void add(const Arrivals& one) {
    rates_.push_back(one.per_second);
    costs_.push_back(one.server_cpu_us);
  }
  Arrivals median() const { return {bench::median(rates_), bench::median(costs_)}; }

 private:
  std::vector<double> rates_, costs_;
};

// ------------------------------------------------------------------------------------------------ who comes

/// What an application says first on a connection that it resumes on.
std::string resume_request(const std::string& token) {
  std::string out;
  v1::ClientFrame hello, resume;
  hello.set_request_id(1);
  hello.mutable_hello()->set_protocol_min(1);
  hello.mutable_hello()->set_protocol_max(1);
  append_frame(out, hello);
  resume.set_request_id(2);
  resume.mutable_resume()->set_token(token);
  append_frame(out, resume);
  return out;
}

/// Reads a session's frames: its answer, and then, if wished, all that it missed.
class SessionReader {
 public:
  explicit SessionReader(bool with_inbox) : with_inbox_(with_inbox) {}
  bool takes(std::string_view bytes) {
    for (auto payload = decoder_.next(bytes); payload && *payload; payload = decoder_.next(bytes)) {
      v1::ServerFrame frame;
      if (!frame.ParseFromArray((*payload)->data(), static_cast<int>((*payload)->size()))) give_up("a frame is broken");
      if (frame.has_error()) give_up("a session was refused: " + frame.error().message());
      if (frame.has_session()) {
        head_ = frame.session().inbox_head();
        if (!with_inbox_) return true;
      }
      if (frame.has_inbox() && frame.inbox().items_size() > 0) {
        items_ += static_cast<std::size_t>(frame.inbox().items_size());
        if (frame.inbox().items().rbegin()->position() >= head_) return true;
      }
    }
    return false;
  }
  std::size_t items() const { return items_; }

 private:
  const bool with_inbox_;
  FrameDecoder decoder_;
  std::uint64_t head_ = UINT64_MAX;
  std::size_t items_ = 0;
};

struct Came {
  Arrivals arrivals;
  std::size_t items = 0;
};

Came come_back(const Door& door, const std::vector<load::ProvisionedUser>& users, Tickets* tickets, bool with_inbox) {
  std::vector<SessionReader> readers(users.size(), SessionReader(with_inbox));
  Asking asking{.port = door.port,
                .takes = [&](std::size_t client, std::string_view bytes) { return readers[client].takes(bytes); },
                .under_way = with_inbox ? 200U : 500U,
                .tickets = tickets};
  for (const auto& user : users) asking.requests.push_back(resume_request(user.token));
  Crowd crowd(std::move(asking));
  Came came{crowd.come(door.pid)};
  for (const SessionReader& reader : readers) came.items += reader.items();
  return came;
}

Arrivals ask_bare(std::uint16_t port, pid_t pid, std::size_t count, Tickets* tickets) {
  std::vector<std::size_t> missing(count, kRequestBytes);
  Asking asking{
      .port = port,
      .requests = std::vector<std::string>(count, std::string(kRequestBytes, 'r')),
      .takes = [&](std::size_t client, std::string_view bytes) { return (missing[client] -= bytes.size()) == 0; },
      .tickets = tickets};
  return Crowd(std::move(asking)).come(pid);
}

/// The connections of a round are gone before the next one begins.
void wait_until_alone(const Server& server) {
  for (int tries = 0; tries < 600; ++tries) {
    if (server.metrics().at("holdfast_connections") == 0) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  give_up("the server keeps connections that are closed");
}

// ------------------------------------------------------------------------------------------------ the measurements

class Storms {
 public:
  explicit Storms(const StormsOptions& options) : options_(options), scratch_(options.folder) {}

  std::vector<StormRow> run() {
    const std::pair<const char*, void (Storms::*)()> parts[] = {
        {"arrivals", &Storms::arrivals}, {"memory", &Storms::memory},   {"catch-up", &Storms::catch_up},
        {"live", &Storms::live},         {"log-ins", &Storms::log_ins}, {"group", &Storms::fan_out}};
    for (const auto& [name, measure] : parts)
      if (options_.only.empty() || std::ranges::count(options_.only, name) > 0) (this->*measure)();
    return std::move(rows_);
  }

 private:
  std::filesystem::path folder(const char* name) const { return scratch_.path() / name; }
  std::string log() const { return (scratch_.path() / "baseline.log").string(); }

  void add(StormRow row) {
    say(to_text({row}));
    rows_.push_back(std::move(row));
  }
  void add_at_least(std::string what, std::string unit, double figure, double baseline, double share) {
    add({std::move(what), fmt::format("{:.0f} {}", figure, unit), fmt::format("{:.0f} {}", baseline, unit),
         figure / baseline, fmt::format("at least {:.2f}", share), figure >= share * baseline});
  }
  void add_at_most(std::string what, std::string unit, double figure, double baseline, double times) {
    add({std::move(what), fmt::format("{:.1f} {}", figure, unit), fmt::format("{:.1f} {}", baseline, unit),
         figure / baseline, fmt::format("at most {:.2f}", times), figure <= times * baseline});
  }

  void add_reported(std::string what, const char* unit, int digits, double figure, double baseline) {
    add({std::move(what), fmt::format("{:.{}f} {}", figure, digits, unit),
         fmt::format("{:.{}f} {}", baseline, digits, unit), figure / baseline, "reported", true});
  }

  void arrivals() {
    say("arrivals: the baselines and Holdfast in turn");
    Server server(folder("arrivals"), "");
    const auto users = provision_sessions(server.door(), options_.sessions);
    {
      const std::uint16_t port = free_port();
      Child bare({"/proc/self/exe", "serve-answers", std::to_string(port)}, log());
      wait_until_listening(port);
      Rounds epoll, ours;
      for (int round = 0; round < options_.rounds; ++round) {
        epoll.add(ask_bare(port, bare.pid(), options_.sessions, nullptr));
        ours.add(come_back(server.door(), users, nullptr, false).arrivals);
        wait_until_alone(server);
      }
      const std::string who = fmt::format("{} sessions come", options_.sessions);
      add_at_least(who + ", plain: resumed", "/s", ours.median().per_second, epoll.median().per_second, 0.7);
      add_at_most("  server's processor time for each", "µs", ours.median().server_cpu_us, epoll.median().server_cpu_us,
                  2.5);
    }
    arrivals_by_tls(server, users);
  }

  void arrivals_by_tls(const Server& server, const std::vector<load::ProvisionedUser>& users) {
    const std::uint16_t port = free_port();
    const auto tls = server.data() / "tls";
    Child bare({"/proc/self/exe", "serve-handshakes", std::to_string(port), tls / "cert.pem", tls / "key.pem"}, log());
    wait_until_listening(port);
    Rounds full, full_ours, again, again_ours;
    for (int round = 0; round < options_.rounds; ++round) {
      Tickets of_bare, of_ours;
      full.add(ask_bare(port, bare.pid(), options_.sessions, &of_bare));
      full_ours.add(come_back(server.door(), users, &of_ours, false).arrivals);
      wait_until_alone(server);
      again.add(ask_bare(port, bare.pid(), options_.sessions, &of_bare));
      again_ours.add(come_back(server.door(), users, &of_ours, false).arrivals);
      wait_until_alone(server);
    }
    add_at_least("the same by TLS, whole handshakes", "/s", full_ours.median().per_second, full.median().per_second,
                 0.85);
    add_reported("  server's processor time for each", "µs", 0, full_ours.median().server_cpu_us,
                 full.median().server_cpu_us);
    add_at_least("the same with tickets", "/s", again_ours.median().per_second, again.median().per_second, 0.85);
    add_reported("  server's processor time for each", "µs", 0, again_ours.median().server_cpu_us,
                 again.median().server_cpu_us);
  }

  void memory() {
    for (const bool tls : {false, true}) {
      for (const std::size_t part : {8U, 2U, 1U}) {
        const std::size_t sessions = options_.sessions / part;
        say(fmt::format("{} idle sessions", sessions));
        Server server(folder("idle"), "");
        std::vector<std::string> arguments{"idle", "--sessions", std::to_string(sessions), "--seconds", "3"};
        if (tls) arguments.emplace_back("--tls");
        const auto figures = server.tool(arguments);
        const double most = tls ? 18'432 : 3'072, bytes = figures.at("server_bytes_per_session");
        const auto kernel = figures.find("kernel_bytes_per_session");
        add({fmt::format("memory of an idle session, {}, of {}", tls ? "TLS" : "plain", sessions),
             fmt::format("{:.0f} B", bytes),
             kernel == figures.end() ? "not known" : fmt::format("kernel {:.0f} B", kernel->second), 0,
             fmt::format("at most {:.0f} B", most), bytes <= most});
      }
    }
  }

  void catch_up() {
    say(fmt::format("catching up: {} users with {} messages each", options_.users_behind, options_.behind));
    const auto where = folder("catch-up");
    const std::string config = fmt::format("partitions = {}\n", kPartitions);
    std::vector<load::ProvisionedUser> users;
    {
      Server server(where, config);
      users = write_unread(server.door(),
                           {.users = options_.users_behind, .talks = 1, .messages = options_.behind, .senders = 500});
    }
    std::vector<double> ours, bare, cost, bare_cost;
    for (int round = 0; round < options_.rounds; ++round) {
      {
        const std::uint16_t port = free_port();
        Child child(
            {"/proc/self/exe", "serve-inboxes", std::to_string(port), where / "data", std::to_string(kPartitions)},
            log());
        wait_until_listening(port);
        std::size_t rows = 0;
        const Arrivals came = read_bare(port, child.pid(), users, rows);
        bare.push_back(came.per_second * static_cast<double>(rows) / static_cast<double>(users.size()));
        bare_cost.push_back(came.server_cpu_us * static_cast<double>(users.size()) / static_cast<double>(rows));
      }
      Server server(where, config);
      const Came came = come_back(server.door(), users, nullptr, true);
      const double each = static_cast<double>(came.items) / static_cast<double>(users.size());
      ours.push_back(came.arrivals.per_second * each);
      cost.push_back(came.arrivals.server_cpu_us / each);
    }
    add_at_least("catching up: messages", "/s", median(ours), median(bare), 0.5);
    add_reported("  server's processor time for each", "µs", 2, median(cost), median(bare_cost));
  }

  static Arrivals read_bare(std::uint16_t port, pid_t pid, const std::vector<load::ProvisionedUser>& users,
                            std::size_t& rows) {
    std::vector<FrameDecoder> decoders(users.size());
    Asking asking{.port = port,
                  .takes =
                      [&](std::size_t client, std::string_view bytes) {
                        FrameDecoder& decoder = decoders[client];
                        for (auto row = decoder.next(bytes); row && *row; row = decoder.next(bytes)) {
                          if ((*row)->size() == 1) return true;
                          ++rows;
                        }
                        return false;
                      },
                  .under_way = 200};
    for (const auto& user : users) asking.requests.push_back(user.user.str());
    return Crowd(std::move(asking)).come(pid);
  }

  void live() {
    say("live messages beside a storm");
    std::vector<double> before, during;
    for (int round = 0; round < options_.rounds; ++round) {
      Server server(folder("live"), "");
      const auto figures = server.tool({"storm", "--sessions", std::to_string(options_.storm), "--at-once",
                                        "--live-pairs", "100", "--live-rate", "1000"});
      before.push_back(figures.at("live_before_ms.p99"));
      during.push_back(figures.at("live_during_ms.p99"));
    }
    add_at_most(fmt::format("p99 of 1,000 live messages a second while {} come", options_.storm), "ms", median(during),
                median(before), 5);
  }

  /// As many threads as the server has for it by default.
  double hashes_per_second() const {
    const chat::PasswordHasher hasher(chat::PasswordCost{});
    const SteadyTime start = steady_now();
    std::size_t hashes = 0;
    for (; steady_now() - start < options_.baseline; ++hashes)
      if (!hasher.hash("a password of nobody")) give_up("no memory for a hash");
    return static_cast<double>(hashes) / Seconds(steady_now() - start).count();
  }

  void log_ins() {
    const double rate = hashes_per_second();
    const auto count = static_cast<std::size_t>(rate * options_.log_ins.count());
    say(fmt::format("{} log-ins with a password at once, and as many resumes", count));
    Server server(folder("log-ins"), "");
    const std::vector<std::string> crowd{"storm",     "--sessions", std::to_string(2 * count),
                                         "--at-once", "--back-max", "600"};
    const auto alone = server.tool(crowd);
    auto half = crowd;
    half.insert(half.end(), {"--logins", "50"});
    const auto both = server.tool(half);
    add_at_least("log-ins with a password", "/s", both.at("log_in_ms.count") / (both.at("log_in_ms.max") / 1e3), rate,
                 0.9);
    add_at_most("  resumes beside them, p99, and with resumes in their place", "ms", both.at("resume_ms.p99"),
                alone.at("resume_ms.p99"), 2);
  }

  void fan_out() {
    say(fmt::format("a group of {}", options_.members));
    std::vector<double> cost, delivered;
    Rounds bare;
    for (int round = 0; round < options_.rounds; ++round) {
      bare.add(measure_fan_out(options_.members, options_.baseline / 2, log()));
      Server server(folder("group"), "");
      const auto figures = server.tool({"groups", "--members", std::to_string(options_.members - 1), "--rate", "100"});
      delivered.push_back(figures.at("delivered_per_s"));
      cost.push_back(figures.at("server_cpu_us_per_delivery"));
    }
    // Both had all that was asked for: what one could do at most is told by its processor time.
    add_at_least(fmt::format("a group of {}, 100 messages a second: frames", options_.members), "/s of a core",
                 1e6 / median(cost), 1e6 / bare.median().server_cpu_us, 0.5);
    add_reported("  delivered", "/s", 0, median(delivered), bare.median().per_second);
  }

  const StormsOptions options_;
  const ScratchFolder scratch_;
  std::vector<StormRow> rows_;
};

}  // namespace

std::vector<StormRow> measure_storms(const StormsOptions& options) { return Storms(options).run(); }

std::string to_text(const std::vector<StormRow>& rows) {
  std::string text;
  for (const StormRow& row : rows)
    text += fmt::format("  {:<56} {:>18} {:>18} {:>7}   {:<17} {}\n", row.what, row.figure, row.baseline,
                        row.ratio > 0 ? fmt::format("{:.2f}", row.ratio) : "", row.goal,
                        row.goal == "reported" ? "" : (row.met ? "met" : "NOT met"));
  return text;
}

int run_storms(int argc, char** argv) {
  StormsOptions options;
  std::string folder = ".";
  bool quick = false;
  CLI::App app("Sessions that come back all at once, and what it costs to have them, beside baselines of the same run.",
               "holdfast-bench storms");
  app.add_flag("--quick", quick, "one round of everything, with a quarter of the sessions");
  app.add_option("--sessions", options.sessions, "[16000]")->check(CLI::Range(80, 18'000));
  app.add_option("--only", options.only, "this part, or several: arrivals, memory, catch-up, live, log-ins, group")
      ->check(CLI::IsMember({"arrivals", "memory", "catch-up", "live", "log-ins", "group"}));
  app.add_option("--folder", folder, "make data directories here [.]")->check(CLI::ExistingDirectory);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  options.folder = std::filesystem::absolute(folder);
  if (quick) {
    options.rounds = 1;
    options.sessions /= 4;
    options.storm = options.users_behind = options.sessions / 2;
    options.behind = 100;
    options.log_ins = Seconds(10);
    options.baseline = Seconds(2);
  }
  const auto rows = measure_storms(options);
  fmt::print("{} sessions, medians of {} rounds: Holdfast, the baseline, their ratio, the goal\n{}", options.sessions,
             options.rounds, to_text(rows));
  return 0;
}

}  // namespace holdfast::bench
