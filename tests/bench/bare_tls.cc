#include "tests/bench/bare_tls.h"

#include <fcntl.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "tests/bench/child.h"
#include "tests/bench/measuring.h"

namespace holdfast::bench {
namespace {

SSL_CTX* make_context(const std::string& certificate, const std::string& key) {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 1);
  if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1)
    give_up("can't use " + certificate);
  return context;
}

void accept_all(int epoll, int listener, SSL_CTX* context) {
  while (true) {
    const int accepted = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted < 0) return;
    SSL* ssl = SSL_new(context);
    SSL_set_fd(ssl, accepted);
    SSL_set_accept_state(ssl);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = ssl;
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, accepted, &event);
  }
}

/// The client closes first.
void answer(SSL* ssl) {
  std::array<char, 64> block;
  const int got = SSL_read(ssl, block.data(), static_cast<int>(block.size()));  // with the handshake, if it is due
  if (got > 0) {
    SSL_write(ssl, block.data(), got);
  } else if (SSL_get_error(ssl, got) != SSL_ERROR_WANT_READ) {
    ::close(SSL_get_fd(ssl));
    SSL_free(ssl);
  }
}

}  // namespace

int serve_handshakes(std::uint16_t port, const std::string& certificate, const std::string& key) {
  const int listener = listen_on(port);
  SSL_CTX* context = make_context(certificate, key);
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;  // the listener
  ::epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  std::array<epoll_event, 256> events;
  while (true) {
    const int ready = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < ready; ++i) {
      auto* ssl = static_cast<SSL*>(events[static_cast<std::size_t>(i)].data.ptr);
      ssl ? answer(ssl) : accept_all(epoll, listener, context);
    }
  }
}

}  // namespace holdfast::bench
