// What holdfast-load counts, and how it gets from one process to another.
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <thread>

#include "base/random.h"
#include "tools/holdfast-load/machine_use.h"
#include "tools/holdfast-load/metrics_text.h"
#include "tools/holdfast-load/proc_figures.h"
#include "tools/holdfast-load/refusal.h"
#include "tools/holdfast-load/tally.h"

using namespace holdfast;
using namespace holdfast::load;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

namespace {

std::int64_t sum_of(const CountSeries& series) {
  std::int64_t sum = 0;
  for (const auto point : series.points()) sum += point;
  return sum;
}

}  // namespace

TEST_CASE("Series: what was counted before it begins is of the first point, and nothing of nothing") {
  CountSeries series;
  series.begin();
  CHECK(series.points().empty());
  series.at(seconds(3)) += 5;
  series.at(seconds(3'000)) -= 2;
  series.begin();
  CHECK(series.points() == std::vector<std::int64_t>{3});
  CHECK(series.step() == CountSeries::kStepAtFirst);
}

TEST_CASE("Series: a run of any length keeps its sum, in a bounded number of points") {
  CountSeries series;
  for (int second = 0; second < 100'000; ++second) ++series.at(seconds(second));
  CHECK(series.points().size() <= CountSeries::kPointsMax);
  CHECK(series.points().size() > CountSeries::kPointsMax / 2 - 1);
  CHECK(sum_of(series) == 100'000);
  // Each point has what happened in its time, no matter when the steps became longer.
  const auto step_s = std::chrono::duration_cast<seconds>(series.step()).count();
  CHECK(series.points()[3] == step_s);
}

TEST_CASE("Series: curves with steps of different length add up") {
  CountSeries longer, shorter;
  for (int second = 0; second < 1'000; ++second) ++longer.at(seconds(second));
  for (int i = 0; i < 50; ++i) ++shorter.at(milliseconds(100 * i));
  CountSeries one_way = longer, other_way = shorter;
  one_way.merge(shorter);
  other_way.merge(longer);
  CHECK(one_way.points() == other_way.points());
  CHECK(one_way.step() == longer.step());
  CHECK(sum_of(one_way) == 1'050);
}

TEST_CASE("Series: what was before the start is of the first point") {
  CountSeries series;
  ++series.at(milliseconds(-5));
  CHECK(series.points() == std::vector<std::int64_t>{1});
}

TEST_CASE("CoarseTimes: percentiles are within 1/8 of the exact ones") {
  CoarseTimes times;
  CHECK(times.at(0.99).count() == 0);
  for (int us = 1; us <= 10'000; ++us) times.add(std::chrono::microseconds(us));
  for (const double share : {0.01, 0.5, 0.99, 1.0}) {
    const double exact = share * 10'000;
    CHECK(static_cast<double>(times.at(share).count()) >= exact);
    CHECK(static_cast<double>(times.at(share).count()) <= exact * 9 / 8 + 1);
  }
}

TEST_CASE("Histogram: what two counted is the same as if one had, and goes through its steps unchanged") {
  SeededRandom random(3);
  Histogram whole, first, second;
  for (int i = 0; i < 5'000; ++i) {
    const nanoseconds value(random.below(std::uint64_t{1} << (1 + random.below(40))));
    whole.add(value);
    (i % 3 == 0 ? first : second).add(value);
  }
  first.merge(second);
  const Histogram there = Histogram::from_steps(first.steps(), first.max());
  CHECK(there.count() == whole.count());
  for (const double share : {0.0, 0.5, 0.9, 0.99, 0.999, 1.0}) CHECK(there.at(share) == whole.at(share));
}

TEST_CASE("Tally: on its way from one process to another nothing is lost, and two add up") {
  Tally tally;
  tally.counts["resumed"] = 7;
  tally.raise("cpu_permille", 500);
  tally.times["resume"].add(milliseconds(12));
  ++tally.curves["resumed"].at(seconds(2));
  tally.times_curves["resume"].at(seconds(2)).add(milliseconds(12));
  tally.error("a \"quoted\" one");
  tally.findings = {1, 2, 3};

  auto there = tally_from_json(tally_to_json(tally));
  REQUIRE(there);
  CHECK(tally_to_json(*there) == tally_to_json(tally));

  there->raise("cpu_permille", 400);
  there->merge(tally);
  CHECK(there->count("resumed") == 14);
  CHECK(there->most("cpu_permille") == 500);
  CHECK(there->time("resume").count() == 2);
  CHECK(sum_of(there->curves["resumed"]) == 2);
  CHECK(there->error_count() == 2);
  CHECK(there->findings.out_of_order == 6);
}

TEST_CASE("Tally: figures that can't be read are an error that says so") {
  for (const char* bad : {"", "{}", "[1]", "{\"counts\":{\"x\":-1}}", "nonsense"}) {
    auto tally = tally_from_json(bad);
    REQUIRE_FALSE(tally);
    CHECK(tally.error().code == Errc::corrupt);
  }
}

TEST_CASE("Tally: a thousand different errors are all counted, but not all kept apart") {
  Tally tally;
  for (int i = 0; i < 1'000; ++i) tally.error("error " + std::to_string(i));
  CHECK(tally.error_count() == 1'000);
  CHECK(tally.errors.size() <= Tally::kErrorsMax + 1);
}

TEST_CASE("Refusals: what the library says is told apart") {
  CHECK(refusal_kind("timed out") == Refusal::timed_out);
  CHECK(refusal_kind("connecting to 127.0.0.1:7400 took too long") == Refusal::timed_out);
  CHECK(refusal_kind("can't connect to 127.0.0.1:7400: Connection refused") == Refusal::unreachable);
  CHECK(refusal_kind("RETRY: busy") == Refusal::refused);
  CHECK(refusal_kind("the server closed the connection") == Refusal::refused);
  CHECK(plain_reason("can't connect to 127.0.0.1:7400: no") == "can't connect to #.#.#.#:#: no");
}

TEST_CASE("MetricsText: a metric is found by its whole name, one with labels or none is not") {
  const std::string text =
      "# TYPE holdfast_process_cpu_seconds_total counter\nholdfast_process_cpu_seconds_total_other 9\n"
      "holdfast_process_cpu_seconds_total 12.5\nholdfast_turns_total{worker=\"0\"} 3\n";
  CHECK(metric_value(text, "holdfast_process_cpu_seconds_total") == 12.5);
  CHECK_FALSE(metric_value(text, "holdfast_turns_total"));
  CHECK_FALSE(metric_value(text, "holdfast_missing"));
}

TEST_CASE("ProcFigures: the sockets' part of the slabs, and TCP's pages") {
  const std::string slabs =
      "slabinfo - version: 2.1\n# name <active_objs> <num_objs> <objsize> <objperslab>\n"
      "TCP 100 130 2368 13 8 : tunables 0 0 0\nsock_inode_cache 100 100 832 19 4 : x\next4_inode_cache 999 999 1000 1 "
      "1 : x\n";
  CHECK(socket_slab_bytes(slabs) == 100 * 2368 + 100 * 832);
  CHECK_FALSE(socket_slab_bytes(""));
  CHECK(tcp_memory_pages("sockets: used 12\nTCP: inuse 1 orphan 0 tw 0 alloc 1 mem 270\n") == 270);
  CHECK_FALSE(tcp_memory_pages("UDP: inuse 0 mem 0\n"));
}

TEST_CASE("ProcFigures: we ourselves are found, nobody is not") {
  const auto ours = process_figures(::getpid());
  REQUIRE(ours);
  CHECK(ours->resident_bytes > 0);
  CHECK_FALSE(process_figures(-1));
}

TEST_CASE("ProcFigures: a process whose first thread has ended is not gone before the last") {
  int closed_by_us[2];
  REQUIRE(::pipe(closed_by_us) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::close(closed_by_us[1]);
    std::thread([end = closed_by_us[0]] {
      char byte = 0;
      while (::read(end, &byte, 1) > 0) continue;
      ::_exit(0);
    }).detach();
    ::syscall(SYS_exit, 0);  // this thread alone, and without unwinding what Catch2 has around us
  }
  ::close(closed_by_us[0]);
  while (process_figures(child)->state != 'Z') std::this_thread::yield();
  CHECK_FALSE(has_ended(child));
  ::close(closed_by_us[1]);
  siginfo_t ended{};
  REQUIRE(::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT) == 0);
  CHECK(has_ended(child));
  ::waitpid(child, nullptr, 0);
  CHECK(has_ended(child));
}

TEST_CASE("MachineUse: idle and waiting for disks is not busy") {
  const auto before = parse_machine_use("cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 1 1 1 1\n");
  const auto after = parse_machine_use("cpu  150 0 150 800 200 0 0 0 0 0\n");
  REQUIRE((before && after));
  CHECK(busy_between(*before, *after) == Approx(100.0 / 300));
  CHECK(busy_between(*after, *after) == 0);
  CHECK_FALSE(parse_machine_use("intr 1 2 3"));
}
