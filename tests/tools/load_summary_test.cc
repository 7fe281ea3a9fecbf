// What holdfast-load says of a run: figures, complaints, the page.
#include <boost/json/parse.hpp>
#include <boost/json/value_to.hpp>
#include <catch2/catch.hpp>

#include "tools/holdfast-load/chart.h"
#include "tools/holdfast-load/script.h"
#include "tools/holdfast-load/summary.h"

using namespace holdfast;
using namespace holdfast::load;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

ServerSample sample(double at_s, double cpu_s, std::uint64_t resident) {
  return {SteadyTime(milliseconds(static_cast<int>(at_s * 1'000))), cpu_s, resident, 0};
}

/// A storm of 1,000 that went well: everybody back after 2 s, with 3 s of the server's processor.
RunFigures good_storm() {
  RunFigures run;
  run.options.plan.scenario = "storm";
  run.options.plan.sessions = 1'000;
  run.tally.counts["resumed"] = 1'000;
  run.tally.raise("last_resumed_us", 2'000'000);
  for (int i = 1; i <= 100; ++i) run.tally.times["resume"].add(milliseconds(i));
  ++run.tally.curves["resumed"].at(seconds(1));
  run.tally.times_curves["resume"].at(seconds(1)).add(milliseconds(5));
  Span& span = run.spans["storm"];
  span.server_before = sample(0, 1, 100 << 20);
  span.server_after = sample(2, 4, 200 << 20);
  run.samples = {sample(0, 1, 100 << 20), sample(1, 3, 250 << 20), sample(2, 4, 200 << 20)};
  return run;
}

boost::json::object json_of(const RunFigures& run) {
  return boost::json::parse(summary_json(run, summarize(run))).as_object();
}
bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("Summary: a storm's figures are what was counted") {
  const auto json = json_of(good_storm());
  CHECK(json.at("good").as_bool());
  CHECK(boost::json::value_to<double>(json.at("sessions")) == 1'000);
  CHECK(boost::json::value_to<double>(json.at("resumed")) == 1'000);
  CHECK(boost::json::value_to<double>(json.at("all_back_s")) == 2);
  CHECK(boost::json::value_to<double>(json.at("resumed_per_s")) == 500);
  CHECK(boost::json::value_to<double>(json.at("server_cpu_us_per_resume")) == 3'000);
  CHECK(boost::json::value_to<double>(json.at("server_resident_mib_max")) == 250);
  CHECK(boost::json::value_to<double>(json.at("resume_ms").at("p50")) == Approx(50).epsilon(0.02));
  CHECK(boost::json::value_to<double>(json.at("resume_ms").at("max")) == 100);
  CHECK(json.at("caught_up_ms").is_null());
  for (const char* key : {"refused", "lost", "duplicated", "out_of_order"})
    CHECK(boost::json::value_to<double>(json.at(key)) == 0);
}

TEST_CASE("Summary: whatever went wrong is a complaint, and not well") {
  const std::pair<const char*, void (*)(RunFigures&)> wrongs[] = {
      {"1 messages were lost", [](RunFigures& run) { run.tally.findings.lost = 1; }},
      {"2 messages came twice", [](RunFigures& run) { run.tally.findings.duplicated = 2; }},
      {"3 messages out of order", [](RunFigures& run) { run.tally.findings.out_of_order = 3; }},
      {"4 messages never answered", [](RunFigures& run) { run.tally.counts["unacknowledged"] = 4; }},
      {"5 sessions were not back", [](RunFigures& run) { run.tally.counts["not_back"] = 5; }},
      {"1 times: a session ended", [](RunFigures& run) { run.tally.error("a session ended"); }},
  };
  for (const auto& [complaint, wrong] : wrongs) {
    RunFigures run = good_storm();
    wrong(run);
    const Summary summary = summarize(run);
    CHECK_FALSE(summary.good());
    CHECK(has(summary_text(summary), complaint));
    CHECK(has(summary_text(summary), "NOT WELL"));
    CHECK(has(summary_page(run, summary), complaint));
  }
}

TEST_CASE("Summary: refusals are allowed unless a bound is given, and then up to it") {
  RunFigures run = good_storm();
  run.tally.counts["refused"] = 10;
  CHECK(summarize(run).good());
  run.options.bounds.refused_max = 10;
  CHECK(summarize(run).good());
  run.options.bounds.refused_max = 9;
  CHECK_FALSE(summarize(run).good());
}

TEST_CASE("Summary: bounds for honest latency and memory hold a hostile run to them") {
  RunFigures run;
  run.options.plan.scenario = "hostile";
  run.options.plan.kind = "silent";
  run.tally.times["live_during_delivery"].add(milliseconds(300));
  run.samples = {sample(0, 0, 1'000), sample(1, 0, 3'000)};
  CHECK(summarize(run).good());
  run.options.bounds.live_p99_ms_max = 299;
  CHECK_FALSE(summarize(run).good());
  run.options.bounds.live_p99_ms_max = 301;
  CHECK(summarize(run).good());
  run.options.bounds.resident_max = 2'999;
  CHECK_FALSE(summarize(run).good());
}

TEST_CASE("Summary: the load generator that was the limit is told of") {
  RunFigures run = good_storm();
  CHECK_FALSE(json_of(run).at("generator_limited").as_bool());
  run.tally.raise("cpu_permille", 950);
  CHECK(json_of(run).at("generator_limited").as_bool());
  CHECK(has(summary_text(summarize(run)), "THE LOAD GENERATOR WAS THE LIMIT"));

  RunFigures late = good_storm();
  late.tally.times["late"].add(milliseconds(50));
  CHECK(json_of(late).at("generator_limited").as_bool());
  CHECK(has(summary_text(summarize(late)), "THE LOAD GENERATOR WAS LATE"));
}

TEST_CASE("Summary: how many handshakes were resumed is told where TLS is spoken, and nowhere else") {
  RunFigures run = good_storm();
  run.options.plan.servers = "holdfast://a:7400,wss://b:7400";
  run.tally.counts["tls_handshakes"] = 1'010;
  run.tally.counts["tls_resumed"] = 990;
  CHECK(boost::json::value_to<double>(json_of(run).at("tls_handshakes")) == 1'010);
  CHECK(boost::json::value_to<double>(json_of(run).at("tls_resumed")) == 990);
  CHECK(has(summary_text(summarize(run)), "of them resumed by a ticket"));
  run.options.plan.servers = "holdfast://a:7400,ws://b:7400";
  CHECK(json_of(run).at("tls_handshakes").is_null());
  CHECK(json_of(run).at("tls_resumed").is_null());
  CHECK_FALSE(has(summary_text(summarize(run)), "by a ticket"));
}

TEST_CASE("Summary: an idle session's memory is what came on top, and only one end of the kernel's") {
  RunFigures run;
  run.options.plan.scenario = "idle";
  run.options.plan.sessions = 100;
  run.options.plan.seconds = 10;
  run.options.watch.processes = {1};
  run.spans["open"].server_before = sample(0, 0, 1'000'000);
  run.spans["hold"].server_before = sample(1, 0, 1'300'000);
  run.spans["open"].kernel_before = {10'000, 4'096, true};
  run.spans["hold"].kernel_before = {910'000, 4'096, true};
  run.tally.counts["hold_read_bytes"] = 2'000;
  const auto json = json_of(run);
  CHECK(boost::json::value_to<double>(json.at("server_bytes_per_session")) == 3'000);
  CHECK(boost::json::value_to<double>(json.at("kernel_bytes_per_session")) == 4'500);
  CHECK(boost::json::value_to<double>(json.at("keepalive_bytes_per_session_per_s")) == 2);
  run.spans["hold"].kernel_before.slab_known = false;
  CHECK(json_of(run).at("kernel_bytes_per_session").is_null());
}

TEST_CASE("Summary: a delivery's processor time counts what was delivered when nobody sent any more") {
  RunFigures run;
  run.options.plan.scenario = "groups";
  run.tally.counts["message_delivered"] = 1'000;
  Span& send = run.spans["send"];
  send.from = seconds(0), send.to = seconds(1);
  send.server_before = sample(0, 1, 0);
  send.server_after = sample(1, 2, 0);
  Span& settle = run.spans["settle"];
  settle.from = seconds(1), settle.to = seconds(4);
  settle.server_before = sample(1, 2, 0);
  settle.server_after = sample(4, 5, 0);
  const auto json = json_of(run);
  CHECK(boost::json::value_to<double>(json.at("delivered_per_s")) == 250);
  CHECK(boost::json::value_to<double>(json.at("server_cpu_us_per_delivery")) == 4'000);
}

TEST_CASE("Summary: without a server to watch its figures are null, and the rest stands") {
  RunFigures run = good_storm();
  run.spans.clear();
  run.samples.clear();
  const auto json = json_of(run);
  CHECK(json.at("server_cpu_us_per_resume").is_null());
  CHECK(json.at("server_resident_mib_max").is_null());
  CHECK(boost::json::value_to<double>(json.at("resumed")) == 1'000);
}

TEST_CASE("Page: it is whole, asks for nothing from elsewhere, and marks the fault") {
  RunFigures run = good_storm();
  run.marks = {{seconds(1), "a node is <killed>", true}};
  const std::string page = summary_page(run, summarize(run));
  CHECK(page.starts_with("<!doctype html>"));
  CHECK(page.ends_with("</html>\n"));
  for (const char* foreign : {"http://", "https://", "<script", "<link", "src=", "url("})
    CHECK_FALSE(has(page, foreign));
  CHECK(has(page, "class=\"fault\""));
  CHECK(has(page, "a node is &lt;killed&gt;"));
  CHECK(has(page, "Time to resume"));
}

TEST_CASE("Chart: points stand where their values are, wide latencies on a logarithmic axis") {
  const Chart plain{"", "a second", {{"x", {{0, 0}, {5, 50}, {10, 100}}}}};
  const std::string svg = chart_svg(plain, {}, 10);
  CHECK(has(svg, "points=\"70.0,226.0 575.0,128.0 1080.0,30.0 \""));
  CHECK_FALSE(has(svg, "logarithmic"));
  const Chart wide{"", "ms", {{"x", {{0, 1}, {10, 1'000}}}}};
  CHECK(has(chart_svg(wide, {}, 10), "logarithmic"));
  CHECK(has(chart_svg({"", "ms", {{"x", {}}}}, {}, 0), "</svg>"));
}

TEST_CASE("Script: every scenario prepares first and measures something") {
  for (const char* scenario : {"storm", "catchup", "idle", "groups", "mix", "hostile"}) {
    Plan plan;
    plan.scenario = scenario;
    const Script script = script_of(plan);
    REQUIRE(script.steps.size() > 1);
    CHECK_FALSE(script.steps.front().measured);
    CHECK(script.steps.back().measured);
    CHECK_FALSE(script.progress.empty());
  }
}
