#include "tests/sim/cluster_seeds.h"

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <sstream>

#include "base/check.h"

namespace holdfast::sim {
namespace {

constexpr std::uint64_t kBatch = 50;

/// A child says, for each seed: "begin <seed>", then "done <commits> <posts> <promotions> <ms> <fault>=<n>… +<seen>=<n>…", and
/// "wrong <text>" for each thing that is.
void run_batch(int out, ChaosOptions chaos, std::uint64_t first, std::uint64_t last) {
  spdlog::set_level(spdlog::level::off);  // of thousands of lives
  std::FILE* to = fdopen(out, "w");
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    std::fprintf(to, "begin %llu\n", static_cast<unsigned long long>(seed));
    std::fflush(to);
    chaos.seed = seed;
    const ChaosResult result = run_chaos(chaos);
    for (std::size_t i = 0; i < result.wrong.size() && i < 8; ++i)
      std::fprintf(to, "wrong %s\n", result.wrong[i].c_str());
    if (!result.wrong.empty()) {
      std::istringstream lines(result.state);
      for (std::string line; std::getline(lines, line);) std::fprintf(to, "wrong   | %s\n", line.c_str());
    }
    std::fprintf(to, "done %llu %llu %llu %lld", static_cast<unsigned long long>(result.commits),
                 static_cast<unsigned long long>(result.posts), static_cast<unsigned long long>(result.promotions),
                 static_cast<long long>(result.simulated.count()));
    for (const auto& [fault, count] : result.faults)
      std::fprintf(to, " %s=%llu", fault.c_str(), static_cast<unsigned long long>(count));
    for (const auto& [what, count] : result.seen)
      std::fprintf(to, " +%s=%llu", what.c_str(), static_cast<unsigned long long>(count));
    std::fprintf(to, "\n");
    std::fflush(to);
  }
  std::fclose(to);
}

struct Batch {
  pid_t child = -1;
  int in = -1;
  std::string text;
  std::uint64_t last = 0;
};

Batch begin(const ChaosOptions& chaos, std::uint64_t first, std::uint64_t last) {
  int ends[2];
  HF_CHECK(pipe(ends) == 0, "a pipe can be had");
  std::fflush(nullptr);
  Batch batch;
  batch.last = last;
  batch.child = fork();
  HF_CHECK(batch.child >= 0, "a process can be had");
  if (batch.child == 0) {
    std::signal(SIGABRT, SIG_DFL);
    std::signal(SIGSEGV, SIG_DFL);
    close(ends[0]);
    run_batch(ends[1], chaos, first, last);
    _exit(0);
  }
  close(ends[1]);
  batch.in = ends[0];
  return batch;
}

/// The first seed that this batch did not come to.
std::uint64_t take(const Batch& batch, int status, SeedsResult& result) {
  std::istringstream lines(batch.text);
  std::uint64_t seed = 0, next = 0;
  std::string wrong;
  bool open = false;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    if (word == "begin") {
      words >> seed;
      open = true;
      wrong.clear();
    } else if (word == "wrong") {
      wrong += line.substr(6) + "\n";
    } else if (word == "done") {
      std::uint64_t commits = 0, posts = 0, promotions = 0;
      long long ms = 0;
      words >> commits >> posts >> promotions >> ms;
      ++result.seeds;
      result.commits += commits;
      result.posts += posts;
      result.promotions += promotions;
      result.simulated_hours += static_cast<double>(ms) / 3.6e6;
      for (std::string each; words >> each;) {
        const std::size_t equals = each.find('='), name = each.front() == '+' ? 1 : 0;
        (name == 1 ? result.seen : result.faults)[each.substr(name, equals - name)] +=
            std::stoull(each.substr(equals + 1));
      }
      if (!wrong.empty()) result.violations.push_back({seed, wrong});
      open = false;
      next = seed + 1;
    }
  }
  if (!open) return next;
  ++result.seeds;
  result.violations.push_back(
      {seed, WIFSIGNALED(status) ? "ended by signal " + std::to_string(WTERMSIG(status)) + "\n" : "ended early\n"});
  return seed + 1;
}

}  // namespace

SeedsResult run_seeds(const SeedsOptions& options) {
  SeedsResult result;
  const auto began = std::chrono::steady_clock::now();
  const std::uint64_t end = options.first + options.count;
  std::uint64_t next = options.first;
  std::vector<Batch> running;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> left;  // of batches that ended early
  while (true) {
    const bool over =
        std::chrono::steady_clock::now() - began > std::chrono::duration<double, std::ratio<60>>(options.minutes) ||
        result.violations.size() >= options.violations_max;
    while (!over && running.size() < options.processes && (next < end || !left.empty())) {
      if (!left.empty()) {
        running.push_back(begin(options.chaos, left.back().first, left.back().second));
        left.pop_back();
        continue;
      }
      const std::uint64_t last = std::min(next + kBatch, end) - 1;
      running.push_back(begin(options.chaos, next, last));
      next = last + 1;
    }
    if (running.empty()) return result;
    std::vector<pollfd> polled;
    for (const Batch& batch : running) polled.push_back({batch.in, POLLIN, 0});
    poll(polled.data(), polled.size(), -1);
    for (std::size_t i = running.size(); i-- > 0;) {
      if (polled[i].revents == 0) continue;
      char buffer[4096];
      const auto got = read(running[i].in, buffer, sizeof buffer);
      if (got > 0) {
        running[i].text.append(buffer, static_cast<std::size_t>(got));
        continue;
      }
      int status = 0;
      close(running[i].in);
      waitpid(running[i].child, &status, 0);
      const std::uint64_t from = take(running[i], status, result);
      if (from != 0 && from <= running[i].last) left.emplace_back(from, running[i].last);
      running.erase(running.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
}

std::string report(const SeedsResult& result) {
  std::ostringstream out;
  out << result.seeds << " seeds, " << result.simulated_hours << " simulated hours, " << result.posts << " posts, "
      << result.commits << " entries, " << result.promotions << " new epochs; faults:";
  for (const auto& [fault, count] : result.faults) out << " " << fault << " " << count;
  out << "; seen:";
  for (const auto& [what, count] : result.seen) out << " " << what << " " << count;
  out << "; violations: " << result.violations.size() << "\n";
  for (const auto& violation : result.violations)
    out << "seed " << violation.seed << ": " << violation.what << "  again: ./dev sim --seed " << violation.seed
        << "\n";
  return out.str();
}

}  // namespace holdfast::sim
