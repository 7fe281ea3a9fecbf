/// TLS 1.3 contexts and the certificate that a first start makes for itself.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/asio.h"
#include "net/tls_tickets.h"

struct ssl_ctx_st;

namespace holdfast {

class ClientTickets;

/// Whom a client believes. Exactly one of the three, or none of them for the system's authorities.
struct TlsTrust {
  std::string ca_file;  ///< PEM; certificates that are trusted as roots (a self-signed one is its own root)
  std::string
      pinned_fingerprint;  ///< SHA-256 of the server's certificate in hex, colons allowed; names are not checked
  bool insecure = false;   ///< believe anybody: for tests on one machine
};

/// What a node shows the others, and whom it believes. PEM files.
struct MutualTlsFiles {
  std::string certificate;
  std::string key;
  std::string ca;
};

/// Keys, certificates and trust, shared by the streams made with it.
///
/// A cheap handle: copies share one SSL_CTX, which synchronises itself; any thread. TLS 1.3 only, session tickets on
/// (stateless, so they work on every worker that shares the context; a client's context keeps the latest of each of 64
/// servers and offers it there, or at another server that the certificate of the first is good for), record buffers
/// released when empty.
class TlsContext {
 public:
  /// A chain (own certificate first) and its key, PEM. Fails with not_found or invalid_argument and names the file.
  static Result<TlsContext> server(const std::string& certificate_path, const std::string& key_path);
  static Result<TlsContext> client(const TlsTrust& trust);

  /// A server's tickets are good wherever the same keys are used; without it, in this context only. Once, before it is
  /// used.
  void share_tickets(std::shared_ptr<TicketKeys> keys) { use_ticket_keys(context_.get(), std::move(keys)); }

  /// A client's context like this one, whose connections keep their tickets there instead: a device of its own among
  /// many in one process.
  TlsContext with_tickets(std::shared_ptr<ClientTickets> tickets) const;

  /// Between the nodes of a cluster: each end shows a certificate and demands one that the authorities in the CA file
  /// signed. Names are not checked: whoever the cluster's own authority signed belongs to it, wherever it runs. No
  /// session tickets: a certificate is looked at each time. Fail as server() does.
  static Result<TlsContext> mutual_server(const MutualTlsFiles& files);
  static Result<TlsContext> mutual_client(const MutualTlsFiles& files);

  ssl_ctx_st* native() const { return context_.get(); }
  /// Whether the server's name is to be checked against its certificate.
  bool checks_names() const { return checks_names_; }
  /// Null in a server's.
  const std::shared_ptr<ClientTickets>& tickets() const { return tickets_; }

 private:
  TlsContext(std::shared_ptr<ssl_ctx_st> context, bool checks_names, std::shared_ptr<ClientTickets> tickets = nullptr)
      : context_(std::move(context)), tickets_(std::move(tickets)), checks_names_(checks_names) {}

  std::shared_ptr<ssl_ctx_st> context_;
  std::shared_ptr<ClientTickets> tickets_;
  bool checks_names_ = false;
};

/// Days that a self-made certificate is good for: what the strictest clients (Apple's) still accept.
inline constexpr int kSelfSignedDays = 825;

/// Makes an ECDSA P-256 certificate that signs itself, for `hosts` (names or addresses) and always localhost,
/// 127.0.0.1 and ::1. The key's file has mode 0600. Each file appears whole or not at all (written beside, synced,
/// renamed; the key first). Fails with io and says which file. Existing files are replaced.
Status make_self_signed(const std::string& certificate_path, const std::string& key_path,
                        const std::vector<std::string>& hosts);

/// SHA-256 of the (first) certificate in a PEM file, as lower-case hex: what a client pins.
Result<std::string> certificate_fingerprint(const std::string& certificate_path);

/// Errors of OpenSSL's queue (value: reason code), and of certificate checks (value: X509_V_ERR_...).
const boost::system::error_category& tls_category();
const boost::system::error_category& certificate_category();

}  // namespace holdfast
