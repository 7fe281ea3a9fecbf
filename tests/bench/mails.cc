// The server is stopped before the first message is due and started when the last one is: an outage that has left much
// unread. So all of it is due at one moment, which is when it starts.
#include "tests/bench/mails.h"

#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <fstream>
#include <thread>

#include "base/time.h"
#include "tests/bench/mail_sink.h"

namespace holdfast::bench {
namespace {

constexpr std::chrono::milliseconds kLook{100};
constexpr std::chrono::minutes kMailsMax{30};

void say(const std::string& what) { fmt::print(stderr, "{}\n", what); }

/// 0: the process is gone.
double resident_bytes(pid_t pid) {
  std::ifstream statm("/proc/" + std::to_string(pid) + "/statm");
  double pages = 0, resident = 0;
  statm >> pages >> resident;
  return resident * 4096;
}

/// The most that a process has held since, looked at ten times a second.
class MemoryWatch {
 public:
  explicit MemoryWatch(pid_t pid)
      : thread_([this, pid](const std::stop_token& stop) {
          for (; !stop.stop_requested(); std::this_thread::sleep_for(kLook))
            most_ = std::max(most_.load(), resident_bytes(pid));
        }) {}
  double most() const { return most_; }

 private:
  std::atomic<double> most_{0};
  std::jthread thread_;
};

std::string config_for(const MailsOptions& options, const MailSink& sink) {
  return fmt::format(
      "[mail]\nrelays = \"smtp://127.0.0.1:{}\"\nfrom = \"chat@holdfast.test\"\n[fallback]\ndelay_s = {}\n",
      sink.port(), static_cast<std::uint64_t>(options.delay.count()));
}

std::vector<std::string> live(const MailsOptions& options) {
  return {"--pairs",       "100",
          "--rate",        fmt::format("{:g}", options.rate),
          "--seconds",     fmt::format("{:g}", options.load.count()),
          "--warmup",      "1",
          "--skip-history"};
}

double median_p99(const std::vector<Server::LoadFigures>& runs) {
  std::vector<double> values;
  for (const auto& run : runs) values.push_back(run.delivery_p99_ms);
  return median(std::move(values));
}
Server::LoadFigures median_of(const std::vector<Server::LoadFigures>& runs) {
  Server::LoadFigures middle;
  std::vector<double> ack, p50;
  for (const auto& run : runs) {
    ack.push_back(run.ack_p99_ms);
    p50.push_back(run.delivery_p50_ms);
  }
  middle.ack_p99_ms = median(ack);
  middle.delivery_p50_ms = median(p50);
  middle.delivery_p99_ms = median_p99(runs);
  return middle;
}
Server::LoadFigures three_runs(const Server& server, const MailsOptions& options) {
  std::vector<Server::LoadFigures> runs;
  for (int i = 0; i < 3; ++i) runs.push_back(server.load(live(options)));
  return median_of(runs);
}

/// Fills it, and leaves it stopped with everything due.
void leave_unread(const std::filesystem::path& folder, const std::string& config, const MailsOptions& options,
                  const MailSink& sink, MailsMeasured& m) {
  {
    Server server(folder, config);
    say("live chat alone");
    m.before = three_runs(server, options);
    say(fmt::format("writing {} messages to {} users", options.unread.all_messages(), options.unread.users));
    write_unread(server.door(), options.unread);
  }
  if (sink.taken() > 0) give_up("writing took longer than the delay: give a longer one by --delay");
  say("waiting until they are due");
  std::this_thread::sleep_for(options.delay);
}

void measure_sending(const Server& server, const MailsOptions& options, const MailSink& sink, SteadyTime started,
                     MailsMeasured& m) {
  m.memory_before = resident_bytes(server.door().pid);
  const Seconds cpu = cpu_of(server.door().pid);
  std::vector<Server::LoadFigures> runs;
  MemoryWatch memory(server.door().pid);
  std::jthread first([&](const std::stop_token& stop) {
    while (sink.taken() == 0 && !stop.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    m.until_first = steady_now() - started;
  });
  const auto is_over = [&] { return sink.taken() >= options.unread.mails(); };
  while (!is_over()) {
    const auto run = server.load(live(options));
    if (!is_over() || runs.empty()) runs.push_back(run);  // one that outlasted the mails says less of them
    if (steady_now() - started > kMailsMax) give_up(fmt::format("only {} mails came", sink.taken()));
  }
  m.server_cpu = cpu_of(server.door().pid) - cpu;
  m.until_last = sink.last_taken() - started;
  m.memory_most = memory.most();
  m.meanwhile = median_of(runs);
  m.runs_meanwhile = runs.size();
  for (const auto& run : runs) m.meanwhile_worst_p99_ms = std::max(m.meanwhile_worst_p99_ms, run.delivery_p99_ms);
}

}  // namespace

MailsMeasured measure_mails(const MailsOptions& options) {
  const ScratchFolder scratch(options.folder);
  const MailSink sink;
  const std::string config = config_for(options, sink);
  MailsMeasured m;
  m.messages = options.unread.all_messages();
  leave_unread(scratch.path() / "server", config, options, sink, m);
  const SteadyTime started = steady_now();
  Server server(scratch.path() / "server", config);
  say("mailing them, with live chat beside it");
  measure_sending(server, options, sink, started, m);
  say("live chat alone, again");
  m.after = three_runs(server, options);
  m.memory_after = resident_bytes(server.door().pid);
  m.mails = sink.taken();
  if (m.mails != options.unread.mails()) give_up(fmt::format("{} mails came", m.mails));
  return m;
}

std::string to_text(const MailsMeasured& m, const MailsOptions& options) {
  constexpr double kMiB = 1 << 20;
  const auto live_row = [](const char* when, const Server::LoadFigures& live) {
    return fmt::format("  {:<44} p50 {:6.1f} ms   p99 {:6.1f} ms   acknowledged p99 {:6.1f} ms\n", when,
                       live.delivery_p50_ms, live.delivery_p99_ms, live.ack_p99_ms);
  };
  const double seconds = m.until_last.count();
  std::string text = fmt::format("{} messages for {} users, due at once: {} mails, one for each conversation\n",
                                 m.messages, options.unread.users, m.mails);
  text += fmt::format("  first mail handed to the relay after {:.2f} s, the last after {:.1f} s: {:.0f} mails/s\n",
                      m.until_first.count(), seconds, static_cast<double>(m.mails) / seconds);
  text += fmt::format("  server: {:.1f} s of processor time until then, live chat included\n", m.server_cpu.count());
  text += fmt::format("  server's memory: {:.0f} MiB at its start, {:.0f} at most, {:.0f} afterwards\n",
                      m.memory_before / kMiB, m.memory_most / kMiB, m.memory_after / kMiB);
  text += fmt::format("Live chat beside it, {:g} messages a second, delivered\n", options.rate);
  text += live_row("alone, before", m.before);
  text += live_row(fmt::format("meanwhile, median of {} runs", m.runs_meanwhile).c_str(), m.meanwhile);
  text += live_row("alone, afterwards", m.after);
  const double alone = (m.before.delivery_p99_ms + m.after.delivery_p99_ms) / 2;
  const double ratio = m.meanwhile.delivery_p99_ms / alone;
  text += fmt::format("  p99 meanwhile / alone: {:.2f} (goal: less than 2: {}); the worst run's: {:.2f}\n", ratio,
                      ratio < 2 ? "met" : "NOT met", m.meanwhile_worst_p99_ms / alone);
  return text;
}

int run_mails(int argc, char** argv) {
  MailsOptions options;
  std::string folder = ".";
  double delay = options.delay.count();
  CLI::App app("Unread messages that become due as mails at once, beside live chat.", "holdfast-bench mails");
  app.add_option("--users", options.unread.users, "[10000]")->check(CLI::Range(1, 100'000));
  app.add_option("--talks", options.unread.talks, "conversations with unread messages of each [2]")
      ->check(CLI::Range(1, 20));
  app.add_option("--messages", options.unread.messages, "unread in each of them [5]")->check(CLI::Range(1, 100));
  app.add_option("--delay", delay, "of the fallback, in seconds: longer than it takes to write them [60]")
      ->check(CLI::Range(1, 3'600));
  app.add_option("--folder", folder, "make the data directory here [.]")->check(CLI::ExistingDirectory);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  options.folder = std::filesystem::absolute(folder);
  options.delay = Seconds(delay);
  fmt::print("{}", to_text(measure_mails(options), options));
  return 0;
}

}  // namespace holdfast::bench
