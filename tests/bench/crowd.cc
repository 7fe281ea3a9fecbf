#include "tests/bench/crowd.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "base/time.h"

namespace holdfast::bench {
namespace {

struct Slot {
  Tickets* tickets;
  std::size_t client;
};

/// Takes the ticket over.
int on_ticket(SSL* ssl, SSL_SESSION* session) {
  const auto* slot = static_cast<const Slot*>(SSL_get_app_data(ssl));
  slot->tickets->of(slot->client).reset(session);
  return 1;
}

}  // namespace

Tickets::Tickets() : context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free) {
  SSL_CTX_set_min_proto_version(context(), TLS1_3_VERSION);
  SSL_CTX_set_mode(context(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context(), on_ticket);
}

std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)>& Tickets::of(std::size_t client) {
  while (kept_.size() <= client) kept_.emplace_back(nullptr, SSL_SESSION_free);
  return kept_[client];
}

struct Crowd::Client {
  std::size_t index = 0;
  int socket = -1;
  bool asked = false, answered = false;
  Slot slot{};
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl{nullptr, SSL_free};
  ~Client() {
    if (ssl) {  // without a word, as everything here ends; but OpenSSL must not take its ticket for a bad one
      SSL_set_quiet_shutdown(ssl.get(), 1);
      SSL_shutdown(ssl.get());
      ssl.reset();
    }
    ::close(socket);
  }
};

Crowd::Crowd(Asking asking) : asking_(std::move(asking)), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}

Crowd::~Crowd() { ::close(epoll_); }

void Crowd::watch(Client& client, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &client;
  if (::epoll_ctl(epoll_, EPOLL_CTL_MOD, client.socket, &event) != 0)
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, client.socket, &event);
}

void Crowd::start_one() {
  Client& client = *clients_.emplace_back(std::make_unique<Client>());
  client.index = clients_.size() - 1;
  client.socket = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (client.socket < 0) give_up("too few open files for that many connections");
  const linger hard{1, 0};
  const int on = 1;
  ::setsockopt(client.socket, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  ::setsockopt(client.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(asking_.port);
  (void)::connect(client.socket, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  if (asking_.tickets) {
    client.slot = {asking_.tickets, client.index};
    client.ssl.reset(SSL_new(asking_.tickets->context()));
    SSL_set_fd(client.ssl.get(), client.socket);
    SSL_set_app_data(client.ssl.get(), &client.slot);
    if (auto& ticket = asking_.tickets->of(client.index)) SSL_set_session(client.ssl.get(), ticket.get());
    SSL_set_connect_state(client.ssl.get());
  }
  watch(client, EPOLLOUT);
}

/// True: just now. It goes on from wherever it stands.
bool Crowd::is_answered(Client& client) {
  static thread_local std::array<char, 64 << 10> buffer;
  SSL* ssl = client.ssl.get();
  if (ssl && !SSL_is_init_finished(ssl)) {
    const int done = SSL_do_handshake(ssl);
    if (done <= 0) {
      const int wants = SSL_get_error(ssl, done);
      if (wants != SSL_ERROR_WANT_READ && wants != SSL_ERROR_WANT_WRITE) give_up("a TLS handshake was refused");
      watch(client, wants == SSL_ERROR_WANT_READ ? EPOLLIN : EPOLLOUT);
      return false;
    }
  }
  if (!client.asked) {
    const std::string& request = asking_.requests[client.index];
    const auto size = static_cast<int>(request.size());
    const ssize_t sent = ssl ? SSL_write(ssl, request.data(), size)
                             : ::send(client.socket, request.data(), request.size(), MSG_NOSIGNAL);
    if (sent != size) give_up("a connection was refused");
    client.asked = true;
    watch(client, EPOLLIN);
    return false;
  }
  while (!client.answered) {
    const ssize_t got = ssl ? SSL_read(ssl, buffer.data(), static_cast<int>(buffer.size()))
                            : ::read(client.socket, buffer.data(), buffer.size());
    if (got <= 0) {
      const bool waits = ssl ? SSL_get_error(ssl, static_cast<int>(got)) == SSL_ERROR_WANT_READ
                             : got < 0 && (errno == EAGAIN || errno == EINTR);
      if (!waits) give_up("a connection was closed before it was answered");
      return false;
    }
    client.answered = asking_.takes(client.index, {buffer.data(), static_cast<std::size_t>(got)});
  }
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, client.socket, nullptr);
  return true;
}

Arrivals Crowd::come(pid_t server) {
  const SteadyTime start = steady_now();
  const Seconds cpu = cpu_of(server);
  const std::size_t all = asking_.requests.size();
  std::size_t answered = 0;
  std::array<epoll_event, 256> events;
  while (answered < all) {
    while (clients_.size() < all && clients_.size() - answered < asking_.under_way) start_one();
    const int ready = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 60'000);
    if (ready == 0) give_up("for a minute no connection was answered");
    for (int i = 0; i < ready; ++i)
      answered += is_answered(*static_cast<Client*>(events[static_cast<std::size_t>(i)].data.ptr)) ? 1 : 0;
  }
  const auto count = static_cast<double>(all);
  return {count / Seconds(steady_now() - start).count(), (cpu_of(server) - cpu).count() * 1e6 / count};
}

}  // namespace holdfast::bench
