#include "tools/holdfast-load/report.h"

#include <spdlog/fmt/fmt.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>

namespace holdfast::load {
namespace {

using Milliseconds = std::chrono::duration<double, std::milli>;

double per_second(std::uint64_t count, std::chrono::duration<double> time) {
  return time.count() > 0 ? static_cast<double>(count) / time.count() : 0;
}

double to_ms(Histogram::Duration value) { return Milliseconds(value).count(); }

struct Quantiles {
  double p50, p99, p999, max;
};
Quantiles quantiles(const Histogram& histogram) {
  return {to_ms(histogram.at(0.5)), to_ms(histogram.at(0.99)), to_ms(histogram.at(0.999)), to_ms(histogram.max())};
}

std::string latency_row(const char* name, const Histogram& histogram) {
  const Quantiles q = quantiles(histogram);
  return fmt::format("{:<14}{:>10.2f}{:>10.2f}{:>10.2f}{:>10.2f}\n", name, q.p50, q.p99, q.p999, q.max);
}

boost::json::object latency_json(const Histogram& histogram) {
  const Quantiles q = quantiles(histogram);
  return {{"p50", q.p50}, {"p99", q.p99}, {"p999", q.p999}, {"max", q.max}};
}

std::string load_row(const Options& o) {
  const std::string pace =
      o.rate > 0 ? fmt::format("{:.0f} a second planned", o.rate) : std::string("as fast as it goes");
  return fmt::format("{} pairs, {} bytes, up to {} ahead, {}\n", o.pairs, o.body_bytes, o.ahead, pace);
}

}  // namespace

bool Report::good() const {
  return findings.lost == 0 && findings.duplicated == 0 && findings.out_of_order == 0 && unacknowledged == 0 &&
         logins == 0 && figures->error_count() == 0;
}

std::optional<double> Report::cpu_us_per_message() const {
  if (!server_cpu || delivered_measured == 0) return std::nullopt;
  return server_cpu->count() * 1e6 / static_cast<double>(delivered_measured);
}

std::string to_text(const Report& r) {
  const Figures& f = *r.figures;
  std::string text = load_row(*r.options);
  text += fmt::format("sent {}, acknowledged {}, delivered {}\n", f.sent, f.acked, f.delivered);
  text += fmt::format("acknowledged {:.0f}/s, delivered {:.0f}/s, over {:.1f} s\n",
                      per_second(r.acked_measured, r.measured), per_second(r.delivered_measured, r.measured),
                      r.measured.count());
  if (const auto cpu = r.cpu_us_per_message())
    text += fmt::format("server's processor time: {:.1f} us for a delivered message\n", *cpu);
  text += fmt::format("{:<14}{:>10}{:>10}{:>10}{:>10}\n", "latency, ms", "p50", "p99", "p99.9", "max");
  text += latency_row("acknowledged", f.ack);
  text += latency_row("delivered", f.delivery);
  text += fmt::format("lost {}, duplicated {}, out of order {}, never acknowledged {}\n", r.findings.lost,
                      r.findings.duplicated, r.findings.out_of_order, r.unacknowledged);
  if (r.options->read_history) text += fmt::format("{} messages read back from the history\n", r.history_checked);
  if (f.put_off > 0) text += fmt::format("refused for the moment, and sent again: {}\n", f.put_off);
  text += fmt::format("kills {}, sessions resumed {}, log-ins with a password {}\n", r.kills, r.resumed, r.logins);
  std::size_t shown = 0;
  for (const auto& [what, times] : f.errors)
    if (shown++ < 8) text += fmt::format("error, {} times: {}\n", times, what);
  text += r.good() ? "all is well\n" : "NOT WELL\n";
  return text;
}

std::string to_json(const Report& r) {
  const Figures& f = *r.figures;
  const auto cpu = r.cpu_us_per_message();
  boost::json::object json{
      {"sent", f.sent},
      {"acked", f.acked},
      {"delivered", f.delivered},
      {"put_off", f.put_off},
      {"acked_per_s", per_second(r.acked_measured, r.measured)},
      {"delivered_per_s", per_second(r.delivered_measured, r.measured)},
      {"ack_ms", latency_json(f.ack)},
      {"delivery_ms", latency_json(f.delivery)},
      {"lost", r.findings.lost},
      {"duplicated", r.findings.duplicated},
      {"out_of_order", r.findings.out_of_order},
      {"errors", f.error_count()},
      {"resumed", r.resumed},
      {"logins", r.logins},
      {"server_cpu_us_per_message", cpu ? boost::json::value(*cpu) : boost::json::value(nullptr)},
      {"kills", r.kills},
      {"unacknowledged", r.unacknowledged},
      {"history_checked", r.history_checked},
      {"pairs", r.options->pairs},
      {"seconds", r.measured.count()},
      {"rate", r.options->rate},
      {"ahead", r.options->ahead},
      {"body_bytes", r.options->body_bytes},
      {"server_pid", r.server_pid ? boost::json::value(*r.server_pid) : boost::json::value(nullptr)},
  };
  return boost::json::serialize(json) + "\n";
}

std::string progress_line(std::chrono::duration<double> at, double acked_per_s, double delivered_per_s,
                          const Figures& f) {
  return fmt::format(
      "{:>5.0f} s  acknowledged {:>7.0f}/s  delivered {:>7.0f}/s  p50 {:.1f} ms  p99 {:.1f} ms  under way {}",
      at.count(), acked_per_s, delivered_per_s, to_ms(f.ack.at(0.5)), to_ms(f.ack.at(0.99)), f.sent - f.acked);
}

Status write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file) return Error{Errc::io, "can't write " + path};
  return Ok{};
}

}  // namespace holdfast::load
