#include "tools/holdfast-chaos/run.h"

#include <spdlog/fmt/chrono.h>
#include <spdlog/fmt/fmt.h>

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <ranges>
#include <thread>

#include "base/hash.h"
#include "tools/holdfast-chaos/crowd_thread.h"
#include "tools/holdfast-chaos/faults.h"
#include "tools/holdfast-chaos/mail_notes.h"
#include "tools/holdfast-chaos/replicas.h"
#include "tools/holdfast-chaos/report.h"

namespace holdfast::chaos {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr std::chrono::seconds kSettleMax{60};
constexpr std::chrono::seconds kMailsMax{90};
constexpr std::uint64_t kDiskBytes = 12'000'000'000;  // sparse: room for all that an hour writes
constexpr milliseconds kQuiet{2'000};

void say(const std::string& line) { std::cerr << line << std::endl; }

class Run {
 public:
  Run(const Options& options, const std::atomic<bool>& interrupted)
      : options_(options), interrupted_(interrupted), random_(options.seed), began_(steady_now()) {
    constexpr std::uint32_t kKept[] = {8, 64, 512};
    log_keep_entries_ = kKept[random_.below(std::size(kKept))];
    report_.seed = options.seed;
    report_.command = options.command;
    report_.began = fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(std::time(nullptr)));
    report_.clients = options.clients;
    report_.rate = options.rate;
    report_.goals_count = options.judge_goals;
  }

  int attach() {
    CrowdThread crowd(crowd_options(options_.endpoints, options_.operator_key_file));
    if (auto ready = crowd.prepare(); !ready) return not_started(ready.error());
    say(fmt::format("writing for {} s", options_.seconds));
    crowd.start_sending();
    const SteadyTime until = steady_now() + std::chrono::seconds(options_.seconds);
    while (steady_now() < until && !interrupted_) std::this_thread::sleep_for(milliseconds(50));
    finish(crowd);
    report_.notes.push_back("Mails (H11) were not judged: where they go is the cluster's own affair.");
    report_.notes.push_back(
        "The replicas' logs (H10) can't be looked at from outside: `holdfastctl verify` does that.");
    report_.nodes = options_.endpoints.size();
    return judge(crowd.history());
  }

  int play() {
    if (auto chosen = choose_faults(); !chosen) return not_started(chosen.error(), kExitUsage);
    folder_ = options_.folder.empty() ? fs::temp_directory_path() / run_name() : fs::absolute(options_.folder);
    stage_ = std::make_unique<Stage>(stage_options(), interrupted_);
    say(fmt::format("seed {}; {} nodes and 3 etcd members, {}, in {}", options_.seed, options_.nodes,
                    isolated_ ? "each node in its own network namespace" : "on loopback", folder_.string()));
    auto raised = stage_->raise();
    if (!raised) return not_started(raised.error());
    // A copy: the node's own goes when its disk does.
    const fs::path key = folder_ / "operator.key";
    std::error_code failed;
    fs::copy_file(stage_->nodes().operator_key_file(0), key, fs::copy_options::overwrite_existing, failed);
    if (failed) return not_started({Errc::io, "can't copy the operators' key to " + key.string()});
    CrowdThread crowd(crowd_options(stage_->nodes().endpoints(), key));
    if (auto ready = crowd.prepare(); !ready) return not_started(ready.error());
    crowd.start_sending();
    stage_->rest(kQuiet);
    break_things(crowd);
    stage_->rest(kQuiet);
    finish(crowd);
    History& history = crowd.history();
    history.faults = std::move(faults_);
    note_what_was_mailed(history.mail);
    look_at_replicas(history);
    note_snapshots();
    history.crashes = std::move(stage_->crashes());
    report_.nodes = options_.nodes;
    const int code = judge(history);
    const bool keep = code != kExitGood || !options_.folder.empty();
    stage_.reset();
    std::error_code ignored;
    if (keep)
      say("data and logs stay in " + folder_.string());
    else
      fs::remove_all(folder_, ignored);
    return code;
  }

 private:
  static std::string run_name() {
    static const std::string name = "hfchaos-" + to_hex(SystemRandom().id<StoreId>().bytes()).substr(0, 6);
    return name;
  }

  int not_started(const Error& error, int code = kExitNotStarted) {
    say("holdfast-chaos: " + error.message);
    return code;
  }

  CrowdOptions crowd_options(std::vector<client::Endpoint> endpoints, const std::string& operator_key_file) const {
    CrowdOptions crowd;
    crowd.endpoints = std::move(endpoints);
    crowd.trust = options_.trust;
    crowd.operator_key_file = operator_key_file;
    crowd.listeners = options_.listeners;
    crowd.visitors = options_.visitors;
    crowd.readers = options_.attach ? 0 : options_.readers;
    crowd.clients = options_.clients;
    crowd.rate = options_.rate;
    crowd.seed = options_.seed;
    crowd.began = began_;
    return crowd;
  }

  // ---------------------------------------------------------------------------------------------- before

  /// Which kinds are done, and what is left out.
  Status choose_faults() {
    isolated_ = !options_.loopback;
    if (isolated_) {
      Network probe(run_name() + "p");
      std::thread apart([&] {  // making it moves the thread
        if (auto made = probe.make(1); !made) {
          isolated_ = false;
          why_loopback_ = made.error().message;
        } else {
          netem_ = probe.has_netem();
        }
      });
      apart.join();
    }
    shim_ = own_folder() + "/libholdfast_chaos_shim.so";
    if (!fs::exists(shim_)) shim_.clear();
    const bool all = options_.faults.empty();
    for (const FaultKind& kind : fault_kinds()) {
      std::vector<std::string> wanted;  // with their targets
      for (const std::string& fault : options_.faults)
        if (find_kind(fault) == &kind) wanted.push_back(fault);
      if (all) wanted.push_back(kind.name);
      const std::string missing = missing_for(kind);
      for (const std::string& fault : wanted) {
        if (missing.empty())
          kinds_.push_back(fault);
        else
          report_.notes.push_back(fault + " was left out: " + missing);
      }
    }
    for (const std::string& note : report_.notes) say(note);
    if (does("slow-net"))
      report_.notes.push_back(netem_ ? "slow-net: by netem."
                                     : "slow-net: by a relay of our own; this kernel has no netem.");
    if (kinds_.empty()) return Error{Errc::unsupported, "none of the faults can be done here"};
    report_.notes.push_back(options_.flap_defaults ? "The nodes' flap limits were the defaults."
                                                   : "The nodes' flap limits were off (flap_window_ms = 0).");
    return Ok{};
  }

  std::string missing_for(const FaultKind& kind) const {
    if (kind.need == Need::namespaces && !isolated_)
      return options_.loopback ? "--loopback" : "no network namespaces (" + why_loopback_ + ")";
    if (kind.need == Need::shim && shim_.empty()) return "libholdfast_chaos_shim.so is not beside this program";
    if (kind.need == Need::small_disk && ::geteuid() != 0) return "mounting a small disk needs root";
    return {};
  }

  bool does(const char* kind) const {
    return std::ranges::any_of(kinds_, [&](const std::string& fault) { return find_kind(fault) == find_kind(kind); });
  }

  StageOptions stage_options() const {
    StageOptions stage;
    stage.run = run_name();
    stage.isolate = isolated_;
    stage.mails = options_.readers > 0;
    stage.seed = options_.seed;
    stage.began = began_;
    stage.nodes.folder = folder_;
    stage.nodes.binary = options_.binary;
    stage.nodes.before = options_.binary_before;
    stage.nodes.shim = does("slow-disk") || does("clock") ? shim_ : "";
    stage.nodes.nodes = options_.nodes;
    stage.nodes.partitions = options_.partitions;
    stage.nodes.log_keep_entries = log_keep_entries_;
    stage.nodes.flap_defaults = options_.flap_defaults;
    stage.nodes.disk_bytes = does("full-disk") ? kDiskBytes : 0;
    return stage;
  }

  // ---------------------------------------------------------------------------------------------- meanwhile

  Micros micros(SteadyTime time) const {
    return std::chrono::duration_cast<std::chrono::microseconds>(time - began_).count();
  }

  /// Every kind once in an order of chance, then again, until the time or the rounds are over.
  void break_things(CrowdThread& crowd) {
    Faults faults(
        *stage_, random_, began_, [&crowd] { return crowd.whereabouts(); },
        milliseconds(std::llround(options_.hold_s * 1e3)));
    const SteadyTime until =
        options_.seconds > 0 ? steady_now() + std::chrono::seconds(options_.seconds) : SteadyTime::max();
    for (std::uint32_t round = 0; options_.rounds == 0 || round < options_.rounds; ++round) {
      std::vector<std::string> order = kinds_;
      for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random_.below(i)]);
      for (const std::string& kind : order) {
        if (interrupted_ || steady_now() >= until) return ended_early(round);
        if (!one(faults, kind)) return ended_early(round);
        stage_->rest(milliseconds(500 + random_.below(1'500)));
      }
    }
  }

  void ended_early(std::uint32_t rounds) {
    if (options_.rounds == 0) return;
    report_.notes.push_back(fmt::format("Ended {} after {} of {} rounds.", interrupted_ ? "by a signal" : "early",
                                        rounds, options_.rounds));
  }

  /// False: the cluster is broken for good, and there is no point in going on.
  bool one(Faults& faults, const std::string& kind) {
    auto fault = faults.carry_out(kind);
    if (!fault) {
      say(fault.error().message);
      report_.violations.push_back({Kind::unchecked, fault.error().message});
      return start_again();
    }
    const auto whole = stage_->wait_until_whole(std::chrono::seconds(options_.whole_max_s));
    fault->healthy = whole ? std::max(micros(*whole), fault->ended) : -1;
    if (!whole && interrupted_) return false;
    faults_.push_back(*fault);
    say(fmt::format(
        "{:3} {:7.1f} s  {} of {} for {:.1f} s; {}", faults_.size(), static_cast<double>(fault->began) / 1e6,
        fault->kind, fault->target, static_cast<double>(fault->ended - fault->began) / 1e6,
        whole ? fmt::format("whole after {:.1f} s", static_cast<double>(fault->healthy - fault->ended) / 1e6)
              : "not whole again: " + stage_->last_trouble()));
    return whole || start_again();
  }

  /// What can't be mended otherwise; the violation is already noted.
  bool start_again() {
    if (interrupted_) return false;
    say("starting all nodes again");
    stage_->start_again();
    if (stage_->wait_until_whole(std::chrono::seconds(options_.whole_max_s))) return true;
    say("not whole even then: " + stage_->last_trouble());
    return false;
  }

  // ---------------------------------------------------------------------------------------------- after

  void finish(CrowdThread& crowd) {
    crowd.stop_sending();
    if (mail_sink()) mail_sink()->refuse_no_more();
    say(fmt::format("{} messages acknowledged; waiting for the rest, then reading everything back", crowd.acked()));
    crowd.settle(kSettleMax);
    crowd.read_back();
    if (mail_sink()) await_mails(crowd);
    crowd.close();
  }

  MailSink* mail_sink() { return stage_ ? stage_->mail_sink() : nullptr; }

  /// Readers who stay away do so until they were mailed everything.
  void await_mails(CrowdThread& crowd) {
    for (const SteadyTime until = steady_now() + kMailsMax; steady_now() < until;) {
      MailHistory mail = crowd.mail();
      note_mails(mail_sink()->mails(), mail);
      if (not_mailed(mail).empty()) break;
      std::this_thread::sleep_for(milliseconds(200));
    }
    crowd.come_back();
  }

  void note_what_was_mailed(MailHistory& mail) {
    if (!mail_sink()) return report_.notes.push_back("Mails (H11) were not judged: nobody had an address.");
    note_mails(mail_sink()->mails(), mail);
    const auto refused = std::ranges::count_if(mail.mails, [](const Mail& one) { return one.refused; });
    report_.notes.push_back(fmt::format(
        "Mails came 3 s after a message that no device had acknowledged; the relay told {} of them to come again.",
        refused));
    if (mail.other_mails > 0) report_.notes.push_back(fmt::format("{} mails were about incidents.", mail.other_mails));
  }

  void look_at_replicas(History& history) {
    history.partitions = options_.partitions;
    history.copies = std::min<std::size_t>(3, options_.nodes);
    if (!stage_->wait_until_whole(std::chrono::seconds(options_.whole_max_s)))
      report_.violations.push_back({Kind::not_recovered, "at the end: " + stage_->last_trouble()});
    const auto view = stage_->health().look();
    if (!view) {
      report_.violations.push_back({Kind::unchecked, "the configuration store: " + view.error().message});
      return;
    }
    // All at once: who leaves in order moves its partitions first, and logs go on.
    DataDirectories directories;
    for (std::size_t i = 0; i < stage_->nodes().size(); ++i) {
      stage_->expect_up(i, false);
      stage_->nodes().child(i).freeze();
    }
    for (std::size_t i = 0; i < stage_->nodes().size(); ++i) {
      stage_->nodes().child(i).kill();
      directories[stage_->nodes().name(i)] = stage_->nodes().data(i);
    }
    auto replicas = read_replicas(directories, view->in_sync);
    if (replicas)
      history.replicas = std::move(*replicas);
    else
      report_.violations.push_back({Kind::diverged, replicas.error().message});
  }

  void note_snapshots() {
    std::size_t installed = 0;
    for (std::size_t i = 0; i < stage_->nodes().size(); ++i)
      installed += stage_->nodes().log_lines(i, "snapshot_installed");
    report_.notes.push_back(
        fmt::format("Logs kept {} entries of each partition (drawn by the seed), trimmed after each MiB; {} copies "
                    "came as snapshots.",
                    log_keep_entries_, installed));
  }

  int judge(const History& history) {
    report_.history = &history;
    const auto found = check(history, {std::chrono::microseconds(std::chrono::seconds(options_.answer_max_s)).count()});
    report_.violations.insert(report_.violations.end(), found.begin(), found.end());
    report_.missed_goals = missed_goals(by_kind(history));
    const Counts counts = counts_of(report_);
    for (const Violation& one : report_.violations | std::views::take(20))
      say(std::string(rule_of(one.kind)) + " " + one.text);
    for (const std::string& one : report_.missed_goals) say(one);
    if (auto written = write_report(report_, options_.report); !written) return not_started(written.error());
    say(fmt::format(
        "{}: {} acknowledged, {} lost, {} duplicated, {} out of order, {} mails, {} violations; {}/report.html",
        report_.good() ? "good" : "VIOLATED", counts.acked, counts.lost, counts.duplicated, counts.out_of_order,
        counts.mails, report_.violations.size(), options_.report));
    return report_.good() ? kExitGood : kExitViolated;
  }

  const Options& options_;
  const std::atomic<bool>& interrupted_;
  SeededRandom random_;
  const SteadyTime began_;
  Report report_;
  fs::path folder_;
  bool isolated_ = false, netem_ = false;
  std::string why_loopback_, shim_;
  std::uint32_t log_keep_entries_ = 0;
  std::vector<std::string> kinds_;
  std::vector<Fault> faults_;
  std::unique_ptr<Stage> stage_;
};

}  // namespace

int run(const Options& options, const std::atomic<bool>& interrupted) {
  Run one(options, interrupted);
  return options.attach ? one.attach() : one.play();
}

}  // namespace holdfast::chaos
