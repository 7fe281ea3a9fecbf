#include "server/node.h"

#include <csignal>
#include <filesystem>

#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/version.h"
#include "server/admin.h"
#include "server/answers_by_mail.h"
#include "server/cluster_audit.h"
#include "server/engine.h"
#include "server/gateway/admission.h"
#include "server/http/account_pages.h"
#include "server/http/http_server.h"
#include "server/http/pages.h"
#include "server/http/status_page.h"
#include "server/http/unsubscribe_page.h"
#include "server/kernel_settings.h"
#include "server/mail_desk.h"
#include "server/metrics.h"
#include "server/operator_key.h"
#include "server/out_of_reach.h"
#include "server/services/unsubscribe.h"
#include "server/status_board.h"

namespace holdfast {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::seconds kWatchInterval{1};
constexpr std::chrono::hours kClockJumpMax{24};

/// As many open files as the system lets us have; and what else of the system is too low for a crowd is told.
void prepare_system() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  for (const KernelSetting& low : low_kernel_settings("/proc/sys", limit.rlim_max))
    spdlog::warn("system_setting_low name=\"{}\" value={} wanted={} why=\"{}\"", low.name, low.value, low.wanted,
                 low.why);
}

/// Where a person on this machine reaches it.
std::string at(const tcp::endpoint& endpoint) {
  if (endpoint.address().is_unspecified()) return "127.0.0.1:" + std::to_string(endpoint.port());
  return HostPort{endpoint.address().to_string(), endpoint.port()}.str();
}

Result<TlsContext> load_tls(const Config& config, const std::filesystem::path& data) {
  if (!config.tls_certificate.empty()) return TlsContext::server(config.tls_certificate, config.tls_key);
  const auto directory = data / "tls";
  const std::string certificate = directory / "cert.pem", key = directory / "key.pem";
  if (!std::filesystem::exists(certificate) || !std::filesystem::exists(key)) {
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error) return Error{Errc::io, "can't make " + directory.string() + ": " + error.message()};
    if (const Status made = make_self_signed(certificate, key, {}); !made) return made.error();
  }
  return TlsContext::server(certificate, key);
}

}  // namespace

struct Node::Impl {
  explicit Impl(const Config& c) : config(c) {}
  ~Impl() {
    if (mail_desk) mail_desk->stop();
  }

  Status start();
  Status listen_http(const TlsContext& tls);
  Status listen_lmtp();
  OnBackend on_backend();
  http::UserPages accounts();
  http::UserPages unsubscribing();
  Status listen();
  void watch();
  void look_at_reach();
  std::string out_of_reach() const;
  void drain();
  void drain_gateways();
  void stop_listening();

  const Config config;
  asio::io_context control{1};                  ///< outlives the engine, whose threads may still answer operators
  std::unique_ptr<MailDesk> mail_desk;          ///< outlives the workers, and is stopped before they are
  std::unique_ptr<ClusterAudit> cluster_audit;  ///< outlives the engine's threads, too
  std::unique_ptr<StatusBoard> status;          ///< the same
  std::unique_ptr<Engine> engine;
  std::unique_ptr<gateway::Admission> admission;
  tcp::endpoint client_endpoint, admin_endpoint, http_endpoint;

  std::unique_ptr<http::HttpServer> operators, users;  ///< stopped before `control` goes
  std::unique_ptr<lmtp::LmtpServer> answers;           ///< likewise; null: answers by mail are off
  asio::signal_set signals{control, SIGTERM, SIGINT};
  asio::steady_timer watch_timer{control};
  asio::steady_timer drain_timer{control};
  std::size_t gateways_left = 0;
  bool draining = false;
  int exit_code = 0;
  OutOfReach reach;
  SteadyTime steady_before{};
  WallTime wall_before{};
};

Result<std::unique_ptr<Node>> Node::start(const Config& config) {
  auto impl = std::make_unique<Impl>(config);
  if (const Status started = impl->start(); !started) return started.error();
  return std::unique_ptr<Node>(new Node(std::move(impl)));
}

Node::Node(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Node::~Node() = default;

Status Node::Impl::start() {
  prepare_system();
  auto opened = Engine::open(config);
  if (!opened) return opened.error();
  engine = std::move(*opened);
  cluster_audit = std::make_unique<ClusterAudit>(*engine);
  status = std::make_unique<StatusBoard>(*engine);

  const auto key_file = engine->directory().path() / "operator.key";
  auto operator_key =
      engine->cluster() == nullptr ? load_operator_key(key_file) : share_operator_key(engine->config_store(), key_file);
  if (!operator_key) return operator_key.error();
  auto tls = load_tls(config, engine->directory().path());
  if (!tls) return tls.error();
  tls->share_tickets(engine->shared().keys->tickets());
  gateway::Admission::Options options;
  options.connections_max = config.gateway.connections_max;
  options.operator_key = *operator_key;
  options.limits = config.limits;
  admission = std::make_unique<gateway::Admission>(std::move(options));
  for (auto& worker : engine->workers()) worker->make_gateway(config.gateway, *admission, *tls);
  if (const Status listening = listen_http(*tls); !listening) return listening.error();
  if (const Status listening = listen(); !listening) return listening.error();
  auto desk = MailDesk::start(config, engine->directory().path(),
                              config.base_url.empty() ? "http://" + at(http_endpoint) : config.base_url);
  if (!desk) return desk.error();
  mail_desk = std::move(*desk);
  engine->shared().outside = &mail_desk->sender();
  if (const Status listening = listen_lmtp(); !listening) return listening.error();
  if (const Status joined = engine->start_cluster(client_endpoint.port(), admin_endpoint.port()); !joined)
    return joined;
  engine->start_workers();
  return Ok{};
}

Status Node::Impl::listen_http(const TlsContext& tls) {
  const auto readiness = [this] {
    const std::size_t open = open_partitions(*engine);
    if (draining) return http::Readiness{false, "draining"};
    if (engine->cluster() != nullptr) {  // clients of any partition are served from any node
      if (reach.is()) return http::Readiness{false, out_of_reach()};
      const bool registered = engine->cluster()->figures().registered;
      return http::Readiness{registered, registered ? "" : "this node's row does not stand in the configuration store"};
    }
    if (open == config.partitions) return http::Readiness{true, {}};
    return http::Readiness{false,
                           std::to_string(open) + " of " + std::to_string(config.partitions) + " partitions serve"};
  };
  const auto metrics = [this](http::Metrics& out) {
    collect_metrics(*engine, *admission, mail_desk ? mail_desk->figures() : mail::MailerFigures{}, out);
  };
  operators = std::make_unique<http::HttpServer>(
      control.get_executor(),
      http::admin_pages(admin_parts(*engine, *admission), http::operator_pages({readiness, metrics})));
  auto bound = operators->listen(config.admin);
  if (!bound) return bound.error();
  admin_endpoint = *bound;
  users = std::make_unique<http::HttpServer>(
      control.get_executor(),
      http::public_pages({std::string(kVersion), readiness, {accounts(), unsubscribing(), http::status_pages([this] {
                                                               return status->figures();
                                                             })}}),
      http::HttpServerOptions{.proxies = config.gateway.proxies, .tls = tls});
  bound = users->listen(config.http);
  if (!bound) return bound.error();
  http_endpoint = *bound;
  return Ok{};
}

http::UserPages Node::Impl::accounts() {
  http::AccountParts parts;
  parts.base_url = [this] { return config.base_url.empty() ? "http://" + at(http_endpoint) : config.base_url; };
  parts.on_backend = on_backend();
  return http::account_pages(std::move(parts));
}

http::UserPages Node::Impl::unsubscribing() {
  http::Unsubscribe unsubscribe = [run = on_backend()](std::string token, std::function<void(Status)> then) {
    run([token = std::move(token), then = std::move(then)](chat::Backend& backend) {
      run_task(services::unsubscribe(backend, token), then);
    });
  };
  return [unsubscribe = std::move(unsubscribe)](const HttpRequest& request, const HttpReply& reply) {
    if (request.path() != "/unsubscribe") return false;
    http::answer_unsubscribe(unsubscribe, request, reply);
    return true;
  };
}

/// Where a mail server hands answers over, if that is configured.
Status Node::Impl::listen_lmtp() {
  if (!config.lmtp.listen) return Ok{};
  answers =
      std::make_unique<lmtp::LmtpServer>(control.get_executor(), answer_parts(on_backend()), answer_options(config));
  const auto bound = answers->listen(*config.lmtp.listen);
  if (!bound) return bound.error();
  spdlog::info("answers_by_mail at={} domain={}", at(*bound), config.lmtp.domain);
  return Ok{};
}

/// The workers in turns.
OnBackend Node::Impl::on_backend() {
  return [this, next = std::make_shared<std::size_t>(0)](std::function<void(chat::Backend&)> call) {
    Worker& worker = *engine->workers()[(*next)++ % engine->workers().size()];
    worker.call([&worker, call = std::move(call)] { call(worker); });
  };
}

/// Every worker listens on the same port; the kernel spreads connections over them.
Status Node::Impl::listen() {
  HostPort where = config.listen;
  {
    // Sharing a port is for our own workers: another process that listens there must be noticed.
    auto alone = Listener::open(control.get_executor(), where);
    if (!alone) return alone.error();
    where.port = (*alone)->port();
    (*alone)->close();
  }
  for (auto& worker : engine->workers()) {
    auto bound = worker->gateway().listen(where);
    if (!bound) return bound.error();
    client_endpoint = *bound;
    where.port = bound->port();
  }
  return Ok{};
}

/// Once a second: is there room on the disk, and does the clock go as clocks do?
void Node::Impl::watch() {
  if (const Status checked = engine->disk().check(); !checked)
    spdlog::warn("disk_space_unknown why='{}'", checked.error().message);
  const bool full = engine->disk().full();
  if (full != engine->shared().storage_full.exchange(full)) {
    if (full)
      spdlog::error("storage_full free_bytes={} reserve_bytes={}", engine->disk().free_bytes(),
                    config.storage.disk_reserve_bytes);
    else
      spdlog::info("storage_has_room free_bytes={}", engine->disk().free_bytes());
  }
  const SteadyTime steady = steady_now();
  const WallTime wall = wall_now();
  if (steady_before != SteadyTime{} && !config.storage.allow_clock_jump) {
    const auto drift =
        (wall - wall_before) - std::chrono::duration_cast<std::chrono::milliseconds>(steady - steady_before);
    if (std::chrono::abs(drift) > kClockJumpMax) {
      spdlog::critical(
          "clock_jumped by_ms={}: stopping, since sessions and ids expire by it; set the clock, or start with "
          "storage.allow_clock_jump",
          drift.count());
      exit_code = 1;
      return drain();
    }
  }
  look_at_reach();
  cluster_audit->look();
  status->look();
  steady_before = steady;
  wall_before = wall;
  watch_timer.expires_after(kWatchInterval);
  watch_timer.async_wait([this](const error_code& error) {
    if (!error) watch();
  });
}

/// Clients are refused at the door then, and go to another node: answers to what they would ask here find no way back.
void Node::Impl::look_at_reach() {
  if (engine->cluster() == nullptr) return;
  const bool before = reach.is();
  reach.look(engine->cluster()->figures().links, steady_now());
  if (reach.is() == before) return;
  admission->hold(reach.is());
  if (reach.is())
    spdlog::error("out_of_reach why='{}'", out_of_reach());
  else
    spdlog::info("within_reach");
}

std::string Node::Impl::out_of_reach() const {
  return "this node reaches others, and none of them reaches it at " + engine->peer_address() +
         ": set cluster.peer_address to a HOST:PORT at which they do, or let them through to it; until then it takes "
         "no "
         "clients";
}

int Node::run() {
  Impl& node = *impl_;
  node.signals.async_wait([&node](const error_code& error, int signal) {
    if (error) return;
    spdlog::info("draining signal={}", signal);
    node.drain();
  });
  node.watch();
  node.control.run();
  node.mail_desk->stop();
  node.engine->stop_workers();
  spdlog::info("stopped");
  return node.exit_code;
}

/// First nothing is led here any more, then the clients go.
void Node::Impl::drain() {
  if (std::exchange(draining, true)) return;
  if (!engine->cluster()) return drain_gateways();
  // Mails under way end before another node begins the same intents.
  engine->shared().blocking([this] {
    mail_desk->stop();
    engine->cluster()->hand_over(config.drain_max / 2, [this] { asio::post(control, [this] { drain_gateways(); }); });
  });
}

void Node::Impl::drain_gateways() {
  gateways_left = engine->workers().size();
  for (auto& worker : engine->workers()) {
    worker->call([this, &worker] {
      gateway::DrainOptions options;
      options.retry_after = config.drain_retry_after;
      options.deadline = config.drain_max;
      options.sessions_per_s /= static_cast<double>(engine->workers().size());
      worker->gateway().drain(options, [this] {
        asio::post(control, [this] {
          if (--gateways_left == 0) stop_listening();
        });
      });
    });
  }
  // The gateways keep the deadline by themselves; this is for a worker that no longer turns.
  drain_timer.expires_after(config.drain_max + std::chrono::seconds(2));
  drain_timer.async_wait([this](const error_code& error) {
    if (error) return;
    spdlog::error("drain_overdue workers={}", gateways_left);
    control.stop();
  });
}

void Node::Impl::stop_listening() {
  const auto http = [this] { operators->stop([this] { users->stop([this] { control.stop(); }); }); };
  answers ? answers->stop(http) : http();
}

std::string Node::welcome() const {
  const Config& config = impl_->config;
  const std::string port = std::to_string(impl_->client_endpoint.port());
  const std::string address = impl_->client_endpoint.address().is_unspecified()
                                  ? "all addresses"
                                  : impl_->client_endpoint.address().to_string();
  const std::string data = impl_->engine->directory().path().string();
  return "Holdfast is running.\n"
         "  clients     port " +
         port + " on " + address + ": native frames and WebSocket, TLS 1.3" +
         (config.gateway.allow_plaintext ? " and plain text\n" : "; plain text on loopback only\n") +
         "  operators   http://" + at(impl_->admin_endpoint) + "/healthz, /readyz, /metrics, /admin\n" +
         "  users       http://" + at(impl_->http_endpoint) + "/\n" + "  mail        " + impl_->mail_desk->goes_to() +
         "\n" + "  data        " + data + " (operator key in " + data + "/operator.key)\n" +
         "\nChat from two terminals:\n"
         "  build/bin/holdfast-chat --server 127.0.0.1:" +
         port + " --user alice\n" + "  build/bin/holdfast-chat --server 127.0.0.1:" + port +
         " --user bob --to alice\n" +
         "Over TLS:\n"
         "  build/bin/holdfast-chat --server holdfasts://localhost:" +
         port + " --tls-ca " + data + "/tls/cert.pem --user carol\n";
}

}  // namespace holdfast
