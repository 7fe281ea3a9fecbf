/// Stream's TLS half: OpenSSL on the descriptor itself.
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <cerrno>

#include "base/check.h"
#include "net/stream.h"
#include "net/tls.h"
#include "net/tls_sessions.h"

namespace holdfast {

namespace asio = boost::asio;
using State = IoResult::State;

namespace {

constexpr std::size_t kPlainAnswerMax = 4'096;

error_code queued_error() {
  const auto queued = ERR_peek_error();
  if (ERR_GET_REASON(queued) == SSL_R_UNEXPECTED_EOF_WHILE_READING) return asio::error::eof;
  return {static_cast<int>(queued & 0x7fffffffUL), tls_category()};
}

error_code system_error_or_eof() {
  if (errno == 0) return asio::error::eof;
  return {errno, boost::system::system_category()};
}

bool is_address(const std::string& host) {
  error_code error;
  asio::ip::make_address(host, error);
  return !error;
}

}  // namespace

Status Stream::start_tls(const TlsContext& context) {
  HF_CHECK(!tls_, "a stream turns to TLS once");
  if (!is_open()) return Error{Errc::io, "the connection is closed"};
  ssl_ = SSL_new(context.native());
  if (!ssl_ || SSL_set_fd(ssl_, native_handle()) != 1) {
    free_tls();
    return Error{Errc::io, "OpenSSL can't make a connection: " + queued_error().message()};
  }
  tls_ = true;
  return Ok{};
}

Status Stream::start_tls_server(const TlsContext& context) {
  auto started = start_tls(context);
  if (started) SSL_set_accept_state(ssl_);
  return started;
}

Status Stream::start_tls_client(const TlsContext& context, const std::string& server_name) {
  auto started = start_tls(context);
  if (!started) return started;
  SSL_set_connect_state(ssl_);
  HF_CHECK(context.tickets(), "not a client's context");
  offer_kept_session(ssl_, server_name, context.checks_names(), context.tickets());
  const bool address = is_address(server_name);
  // RFC 6066, 3: addresses don't go into SNI.
  bool good = address || SSL_set_tlsext_host_name(ssl_, server_name.c_str()) == 1;
  if (good && context.checks_names()) {
    good = address ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_), server_name.c_str()) == 1
                   : SSL_set1_host(ssl_, server_name.c_str()) == 1;
  }
  if (good) return Ok{};
  return Error{Errc::invalid_argument, "\"" + server_name + "\" is no name that a certificate could have"};
}

Awaitable<error_code> Stream::handshake() {
  HF_CHECK(tls_, "start_tls comes before the handshake");
  while (ssl_) {
    if (is_answered_in_plain()) co_return make_error_code(boost::system::errc::bad_message);
    ERR_clear_error();
    errno = 0;
    const int returned = SSL_do_handshake(ssl_);
    if (returned == 1) co_return error_code();
    const auto result = tls_result(returned, 0);
    if (result.state == State::end) co_return asio::error::eof;
    if (!result.would_block()) {
      const long verified = SSL_get_verify_result(ssl_);
      if (verified != X509_V_OK) co_return error_code(static_cast<int>(verified), certificate_category());
      co_return result.error;
    }
    const auto error = co_await wait_for(result);
    if (error) co_return error;
  }
  co_return asio::error::operation_aborted;
}

/// A server that is full says so before any TLS, in a frame, which begins with a zero; a record of TLS never does.
bool Stream::is_answered_in_plain() {
  if (SSL_is_server(ssl_) == 1 || BIO_number_read(SSL_get_rbio(ssl_)) > 0) return false;
  char first = 1;
  return ::recv(native_handle(), &first, 1, MSG_PEEK) == 1 && first == 0;
}

std::string Stream::plain_answer() {
  std::string answer(kPlainAnswerMax, '\0');
  const auto count = ::recv(native_handle(), answer.data(), answer.size(), 0);
  answer.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  return answer;
}

IoResult Stream::tls_read(std::span<char> into) {
  ERR_clear_error();
  errno = 0;
  std::size_t bytes = 0;
  const int returned = SSL_read_ex(ssl_, into.data(), into.size(), &bytes);
  return tls_result(returned, bytes);
}

IoResult Stream::tls_write(std::string_view from) {
  ERR_clear_error();
  errno = 0;
  std::size_t bytes = 0;
  const int returned = SSL_write_ex(ssl_, from.data(), from.size(), &bytes);
  return tls_result(returned, bytes);
}

IoResult Stream::tls_result(int returned, std::size_t bytes) {
  if (returned == 1) return {State::ok, bytes, {}};
  switch (SSL_get_error(ssl_, returned)) {
    case SSL_ERROR_WANT_READ: return {State::would_block_read, 0, {}};
    case SSL_ERROR_WANT_WRITE: return {State::would_block_write, 0, {}};
    case SSL_ERROR_ZERO_RETURN: return {State::end, 0, {}};
    case SSL_ERROR_SYSCALL: tls_failed_ = true; return {State::failed, 0, system_error_or_eof()};
    default: tls_failed_ = true; return {State::failed, 0, queued_error()};
  }
}

/// Only what OpenSSL has decrypted and not handed out: a record that came in part is no reason to try again.
bool Stream::has_buffered() const { return !unread_.empty() || (ssl_ && SSL_pending(ssl_) > 0); }

void Stream::say_tls_goodbye() {
  if (!ssl_ || tls_failed_ || !SSL_is_init_finished(ssl_)) return;
  ERR_clear_error();
  SSL_shutdown(ssl_);  // one try; a peer that doesn't read gets no good-bye
}

void Stream::free_tls() {
  if (!ssl_) return;
  SSL_free(ssl_);  // leaves the descriptor alone
  ssl_ = nullptr;
}

bool Stream::tls_resumed() const { return ssl_ && SSL_session_reused(ssl_) == 1; }

}  // namespace holdfast
