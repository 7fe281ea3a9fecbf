#include "failover/io/etcd_channel.h"

#include <grpc/support/log.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <fstream>
#include <mutex>
#include <sstream>

namespace holdfast::failover {
namespace {

// etcd closes connections that ping more often than every 5 s (--grpc-keepalive-min-time). Streams notice a frozen
// member sooner by asking it something; this is for the connection itself.
constexpr int kKeepaliveTime_ms = 6'000;
constexpr int kKeepaliveTimeout_ms = 1'000;  // also TCP_USER_TIMEOUT: a cut cable
constexpr int kReconnectMin_ms = 50;
constexpr int kReconnectMax_ms = 500;
constexpr int kConnectMax_ms = 1'000;

Result<std::string> contents(const std::string& path, const char* what) {
  if (path.empty()) return std::string();
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf()))
    return Error{Errc::not_found, std::string(what) + " for etcd can't be read: " + path};
  return text.str();
}

/// gRPC writes to standard error by itself, with addresses, and each failed attempt to connect several lines. What matters
/// of it is in the errors of our calls.
void quieten_grpc() {
  static std::once_flag once;
  std::call_once(once, [] {
    if (std::getenv("GRPC_VERBOSITY") != nullptr) return;  // somebody wants to see it
    gpr_set_log_function([](gpr_log_func_args* line) { spdlog::debug("grpc said text={}", line->message); });
  });
}

}  // namespace

Result<std::shared_ptr<grpc::ChannelCredentials>> etcd_credentials(bool tls, const EtcdOptions& options) {
  quieten_grpc();
  if (!tls) return grpc::InsecureChannelCredentials();
  if (options.certificate_file.empty() != options.key_file.empty())
    return Error{Errc::invalid_argument, "etcd: a client certificate and its key go together"};
  auto roots = contents(options.ca_file, "the authority's certificate");
  if (!roots) return roots.error();
  auto certificate = contents(options.certificate_file, "our certificate");
  if (!certificate) return certificate.error();
  auto key = contents(options.key_file, "our key");
  if (!key) return key.error();
  grpc::SslCredentialsOptions ssl;
  ssl.pem_root_certs = *roots;
  ssl.pem_cert_chain = *certificate;
  ssl.pem_private_key = *key;
  return grpc::SslCredentials(ssl);
}

std::shared_ptr<grpc::Channel> etcd_channel(const std::string& endpoint,
                                            const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
  grpc::ChannelArguments arguments;
  // A transaction that may have been sent is never sent again behind our back.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveTime_ms);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeout_ms);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kReconnectMin_ms);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kReconnectMax_ms);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectMax_ms);  // is the bound on one attempt to connect
  // Two stores in one process share nothing, a proxy for the web is none for etcd, and DNS knows no settings of ours.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  arguments.SetMaxReceiveMessageSize(-1);  // a listing of many rows
  arguments.SetMaxSendMessageSize(-1);     // etcd has its own bound, and says so
  return grpc::CreateCustomChannel("dns:///" + endpoint, credentials, arguments);
}

}  // namespace holdfast::failover
