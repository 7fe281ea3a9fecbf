#include "tools/holdfast-chaos/stage.h"

#include <algorithm>
#include <filesystem>
#include <thread>

namespace holdfast::chaos {
namespace {

constexpr std::chrono::milliseconds kLook{50};
constexpr std::chrono::seconds kWholeFor{1};
constexpr std::chrono::seconds kRaiseMax{60};

}  // namespace

Stage::Stage(StageOptions options, const std::atomic<bool>& interrupted)
    : options_(std::move(options)), interrupted_(interrupted), expected_up_(options_.nodes.nodes, true) {}

Status Stage::raise() {
  network_ = std::make_unique<Network>(options_.run);
  if (options_.isolate)
    if (auto made = network_->make(options_.nodes.nodes); !made) return made;
  const auto etcd_folder = options_.nodes.folder / "etcd";
  std::error_code failed;
  std::filesystem::create_directories(etcd_folder, failed);
  if (failed) return Error{Errc::io, "can't make " + etcd_folder.string() + ": " + failed.message()};
  etcd_ = std::make_unique<EtcdMembers>(EtcdSettings{etcd_folder, network_->hub_address(), 3});
  if (auto started = etcd_->start(); !started) return started;
  options_.nodes.store = etcd_->url();
  if (options_.mails) {
    auto sink =
        MailSink::open({network_->hub_address(), options_.nodes.folder / "mails", options_.began, options_.seed});
    if (!sink) return sink.error();
    mail_sink_ = std::move(*sink);
    options_.nodes.relay = mail_sink_->url();
  }
  nodes_ = std::make_unique<Nodes>(options_.nodes, *network_);
  if (auto made = nodes_->make(); !made) return made;
  auto health = Health::open(options_.nodes.store, options_.nodes.partitions, std::min<std::size_t>(3, nodes_->size()));
  if (!health) return health.error();
  health_ = std::move(*health);
  for (SteadyTime until = steady_now() + kRaiseMax; !health_->look();) {
    if (steady_now() > until || interrupted())
      return Error{Errc::io, "etcd does not come up: its logs are in " + etcd_folder.string()};
    std::this_thread::sleep_for(kLook);
  }
  // The first one founds the cluster; the others find it. Two that found at once tell one of them to start again.
  for (std::size_t i = 0; i < nodes_->size(); ++i) {
    if (auto started = nodes_->start(i, nodes_->has_before()); !started) return started;
    for (const SteadyTime until = steady_now() + kRaiseMax; i == 0 && !nodes_->answers(0);) {
      if (steady_now() > until || interrupted() || !nodes_->child(0).runs())
        return Error{Errc::io, "the first node does not come up: its log is in " + options_.nodes.folder.string()};
      std::this_thread::sleep_for(kLook);
    }
  }
  if (!wait_until_whole(kRaiseMax))
    return Error{Errc::io, "the cluster does not come up: " + last_trouble_ + "; the nodes' logs are in " +
                               options_.nodes.folder.string()};
  crashes_.clear();  // newcomers that come at once may refuse each other; they say so, end, and are started again
  return Ok{};
}

void Stage::look_after_nodes() {
  for (std::size_t i = 0; i < nodes_->size(); ++i) {
    Child& child = nodes_->child(i);
    if (!expected_up_[i] || child.runs()) continue;
    // A full disk ends a node that has to write, and refuses to let it start.
    const bool of_the_disk = disk_death_ && (child.ending() == "exit code 70" || child.ending() == "exit code 1");
    if (!of_the_disk) crashes_.push_back(nodes_->name(i) + " ended by itself: " + child.ending());
    (void)nodes_->start(i);
    std::this_thread::sleep_for(kLook);  // one that can't start is not to spin
  }
}

void Stage::rest(std::chrono::milliseconds time) {
  const SteadyTime until = steady_now() + time;
  while (steady_now() < until && !interrupted()) {
    look_after_nodes();
    std::this_thread::sleep_for(std::min<std::chrono::steady_clock::duration>(
        kLook, std::max<std::chrono::steady_clock::duration>(until - steady_now(), std::chrono::milliseconds(1))));
  }
}

void Stage::start_again() {
  for (std::size_t i = 0; i < nodes_->size(); ++i) {
    if (network_->isolated()) (void)network_->mend(i);  // fails where nothing was cut
    (void)nodes_->empty_disk(i);
    nodes_->set_shim(i, {});
    nodes_->child(i).kill();
  }
  etcd_->start_dead();
  for (std::size_t i = 0; i < nodes_->size(); ++i) {
    (void)nodes_->start(i);
    expected_up_[i] = true;
  }
}

bool Stage::all_whole() {
  for (std::size_t i = 0; i < nodes_->size(); ++i) {
    if (nodes_->answers(i)) continue;
    last_trouble_ = nodes_->name(i) + " takes no clients";
    return false;
  }
  const auto view = health_->look();
  if (!view) {
    last_trouble_ = view.error().message;
    return false;
  }
  if (health_->is_whole(*view)) return true;
  last_trouble_ = std::to_string(view->whole) + " of " + std::to_string(view->partitions) + " partitions are whole" +
                  (view->first_trouble.empty() ? "" : "; " + view->first_trouble);
  return false;
}

std::optional<SteadyTime> Stage::wait_until_whole(std::chrono::seconds max) {
  const SteadyTime until = steady_now() + max + kWholeFor;
  std::optional<SteadyTime> since;
  while (!interrupted()) {
    look_after_nodes();
    const SteadyTime now = steady_now();
    if (!all_whole())
      since.reset();
    else if (!since)
      since = now;
    if (since && now - *since >= kWholeFor) return since;
    if (now > until) return std::nullopt;
    std::this_thread::sleep_for(kLook);
  }
  return std::nullopt;
}

}  // namespace holdfast::chaos
