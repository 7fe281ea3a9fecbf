#include "tests/bench/report.h"

#include <spdlog/fmt/fmt.h>

namespace holdfast::bench {
namespace {

std::string goal_row(const char* what, const std::string& figure, const std::string& goal, bool met) {
  return fmt::format("| {:<58} | {:<26} | {:<22} | {:<3} |\n", what, figure, goal, met ? "yes" : "NO");
}

std::string baselines(const Measured& m) {
  std::string text = "Baselines\n";
  text += fmt::format("  disk: append 256 B + fdatasync            {:8.0f}/s   p50 {:.2f} ms  p99 {:.2f} ms\n",
                      m.disk.per_second, m.disk.p50_ms, m.disk.p99_ms);
  text += fmt::format("  RocksDB: synced commits of {:3} x {:5} B    {:8.0f}/s   p50 {:.2f} ms  p99 {:.2f} ms\n",
                      m.entries_per_commit, m.entry_bytes, m.commits.per_second, m.commits.p50_ms, m.commits.p99_ms);
  text += fmt::format("    as messages ({:.1f} in a commit)          {:8.0f}/s\n", m.messages_per_commit,
                      m.commits.per_second * m.messages_per_commit);
  text += fmt::format("  RocksDB: one synced commit of 1 KB        {:8.0f}/s   p50 {:.2f} ms  p99 {:.2f} ms\n",
                      m.one_commit.per_second, m.one_commit.p50_ms, m.one_commit.p99_ms);
  text += fmt::format("  Asio echo of frames of {:3} B             {:9.0f}/s   {:.2f} us of its processor time each\n",
                      m.frame_bytes, m.echo.per_second, m.echo.server_cpu_us);
  text += fmt::format("  bare program, the same rows               {:8.0f}/s   {:.1f} us, a commit p50 {:.2f} ms\n",
                      m.bare.per_second, m.bare.cpu_us, m.bare.ack_ms_p50);
  text += fmt::format("  epoll: accept, one request, one answer    {:8.0f}/s   {:.0f} us\n\n", m.answers.per_second,
                      m.answers.server_cpu_us);
  return text;
}

std::string load_row(const char* what, const Server::LoadFigures& f) {
  return fmt::format(
      "  {:<36}{:9.0f}/s delivered  {:6.1f} us   ack p50 {:.2f} p99 {:.2f} ms   delivery p50 {:.2f} p99 {:.2f} ms\n",
      what, f.delivered_per_s, f.cpu_us, f.ack_p50_ms, f.ack_p99_ms, f.delivery_p50_ms, f.delivery_p99_ms);
}

std::string holdfast(const Measured& m) {
  std::string text = "Holdfast, server and load on the same cores\n";
  text += load_row(fmt::format("{} pairs, 16 ahead, 100 B", m.pairs).c_str(), m.full);
  text += load_row(fmt::format("{:.0f} messages a second", m.steady_rate).c_str(), m.steady);
  text += load_row(fmt::format("{} pairs, state {:.0f} MB, caches {:.0f} MB", m.cold_pairs, m.cold_state_bytes / 1e6,
                               m.cold_cache_bytes / 1e6)
                       .c_str(),
                   m.cold);
  text += fmt::format("  {:<36}{:9.0f}/s            {:6.0f} us\n", "resumed sessions, all at once",
                      m.resumes.per_second, m.resumes.server_cpu_us);
  text += fmt::format("  a message: {:.1f} rows, {:.0f} B of log entries; {:.1f} messages in a commit\n",
                      m.rows_per_message, m.log_bytes_per_message, m.messages_per_commit);
  text += fmt::format(
      "  written for a delivered message: {:.0f} B log, {:.0f} B flushed of the log, {:.0f} B of the state; "
      "compaction {:.0f} B\n\n",
      m.written.log, m.written.log_flush, m.written.state_flush, m.written.compaction);
  return text;
}

std::string goals(const Measured& m) {
  const double of_echo = m.full.delivered_per_s / m.echo.per_second;
  const double of_bare = m.full.delivered_per_s / m.bare.per_second;
  const double p50 = m.steady.ack_p50_ms / m.one_commit.p50_ms;
  const double p99 = m.steady.ack_p99_ms / m.one_commit.p99_ms;
  const double written = m.written.log + m.written.log_flush + m.written.state_flush;
  std::string text = "Goals\n";
  text += goal_row("messages a second, of the Asio echo", fmt::format("{:.1f} %", of_echo * 100), "at least 5 %",
                   of_echo >= 0.05);
  text += goal_row("messages a second, of the bare program", fmt::format("{:.0f} %", of_bare * 100), "at least 40 %",
                   of_bare >= 0.4);
  text += goal_row("processor time of the server for a delivered message", fmt::format("{:.1f} us", m.full.cpu_us),
                   "at most 35 us", m.full.cpu_us <= 35);
  text += goal_row("acknowledged at the steady rate, p50, of one synced commit", fmt::format("{:.1f} times", p50),
                   "at most 3 times", p50 <= 3);
  text += goal_row("the same, p99", fmt::format("{:.1f} times", p99), "at most 5 times", p99 <= 5);
  text += goal_row("bytes written for a delivered message, before compaction", fmt::format("{:.0f} B", written),
                   "at most 2,048 B", written <= 2'048);
  text +=
      fmt::format("| {:<58} | {:<26} | {:<22} | {:<3} |\n", "resumed sessions a second, of accept + answer in epoll",
                  fmt::format("{:.0f} %", 100 * m.resumes.per_second / m.answers.per_second), "reported", "");
  return text;
}

}  // namespace

std::string to_text(const Measured& m) { return baselines(m) + holdfast(m) + goals(m); }

}  // namespace holdfast::bench
