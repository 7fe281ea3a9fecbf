/// A connected TCP socket, plain or TLS, as a byte stream that never blocks.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/asio.h"
#include "net/first_bytes.h"

struct ssl_st;

namespace holdfast {

class TlsContext;

/// What one attempt to read or write came to.
struct IoResult {
  enum class State {
    ok,                 ///< `bytes` (at least one) were moved
    would_block_read,   ///< wait_readable(), then try again (TLS may want this for a write, too)
    would_block_write,  ///< wait_writable(), then try again (TLS may want this for a read, too)
    end,                ///< the peer closed in order; of a write: never
    failed,             ///< `error` says why; the stream is of no more use
  };
  State state = State::failed;
  std::size_t bytes = 0;
  error_code error;

  bool ok() const { return state == State::ok; }
  bool would_block() const { return state == State::would_block_read || state == State::would_block_write; }
};

/// Whether the peer of a connected socket has closed, or the connection is broken, whatever is still to be read. Asks the
/// system once.
bool has_hung_up(int descriptor);

/// A byte stream over one connected socket.
///
/// Owned by one connection (usually by its coroutine's frame); dies with it and closes the socket. Neither copied nor
/// moved. Thread: that of its executor. The read side and the write side may be two coroutines; each side has at most
/// one wait under way. The stream outlives every awaitable it returned.
/// Memory: a plain stream has no buffer of its own. TLS is OpenSSL on the descriptor itself, its record buffers
/// released when empty. Measured with a coroutine that waits: plain 1.9 KB, TLS 20 KB for an idle connection.
class Stream {
 public:
  /// Takes a connected socket; makes it non-blocking and sets TCP_NODELAY.
  explicit Stream(tcp::socket socket);
  /// Takes one that is both already, as a Listener hands it out.
  Stream(tcp::socket accepted, const tcp::endpoint& remote) : socket_(std::move(accepted)), remote_(remote) {}
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// Turns a plain stream into a TLS one; nothing must have been read from it (peeked is fine). Then handshake().
  /// Fails with io if OpenSSL is out of memory. The context may be dropped afterwards.
  Status start_tls_server(const TlsContext& context);
  /// The same for the connecting side. `server_name` (a host name or address) goes into SNI and is checked against the
  /// certificate if the context says so.
  Status start_tls_client(const TlsContext& context, const std::string& server_name);
  /// Completes the TLS handshake. Has no time-out of its own: see net/watchdog.h. An end of file is asio::error::eof; a
  /// refused certificate is an error of tls_category() or certificate_category() that says why; an answer that is none
  /// of TLS is bad_message, see plain_answer().
  Awaitable<error_code> handshake();
  /// After handshake() failed with bad_message on the connecting side: what the peer said instead of TLS, as far as it is
  /// there. Nobody vouches for it.
  std::string plain_answer();
  bool is_tls() const { return tls_; }

  /// Moves what can be moved at once. `into` and `from` are not empty. After a TLS write that would block, the
  /// same bytes (at any address) must be offered again, more of them is fine.
  IoResult read_now(std::span<char> into);
  IoResult write_now(std::string_view from);

  /// Completes when read_now/write_now is worth another try, at once if TLS already holds bytes. operation_aborted
  /// after cancel(), close() or cancellation of the coroutine.
  Awaitable<error_code> wait_readable();
  Awaitable<error_code> wait_writable();
  /// Waits for whichever `would_block` result asks for.
  Awaitable<error_code> wait_for(IoResult would_block);
  /// The same without a coroutine frame, for those who hold very many idle streams. Never called from within.
  void on_readable(std::function<void(error_code)> done);
  void on_writable(std::function<void(error_code)> done);

  /// Writes all of `from` (which the caller keeps alive), waiting as often as needed.
  Awaitable<error_code> write_all(std::string_view from);
  /// Reads at least one byte into `into`, which the caller keeps alive. The end is asio::error::eof, 0 bytes.
  struct ReadSome {
    error_code error;
    std::size_t bytes = 0;
  };
  Awaitable<ReadSome> read_some(std::span<char> into);

  /// Waits until the first bytes tell what the peer speaks, and leaves them to be read. Never need_more. On a plain
  /// stream they are only peeked, so start_tls_server() may follow. Fails with io at an end or error before that.
  Awaitable<Result<FirstBytes>> detect_protocol(std::uint32_t frame_bytes_max = kFrameBytesMax);
  /// The same on a plain stream by what is there by now: need_more if that is not enough, or a failure.
  FirstBytes protocol_by_now(std::uint32_t frame_bytes_max = kFrameBytesMax);

  /// On a plain stream that begins with TLS: waits until the peer's first record is there whole, and leaves it to be
  /// read. So the handshake's expensive step can be taken at a time of the caller's choice.
  Awaitable<error_code> wait_first_record();

  bool has_hung_up() { return holdfast::has_hung_up(native_handle()); }

  /// Wakes both waits with operation_aborted; the stream stays good.
  void cancel();
  /// Says good-bye as far as it goes without waiting: TLS close_notify, then the end of our sending side.
  void shutdown();
  /// Closes the socket at once. Everything waiting ends with operation_aborted, everything later fails. Idempotent.
  void close();
  bool is_open() const { return socket_.is_open(); }

  /// "127.0.0.1:51234", "[::1]:51234"; fixed at construction. Not for logs.
  std::string remote_text() const;
  const tcp::endpoint& remote() const { return remote_; }
  bool remote_is_loopback() const { return remote_.address().is_loopback(); }
  any_io_executor executor() { return socket_.get_executor(); }
  int native_handle() { return socket_.native_handle(); }
  tcp::socket& socket() { return socket_; }
  /// TLS only: whether the handshake continued an earlier session.
  bool tls_resumed() const;

 private:
  // stream.cc
  static IoResult plain_result(ssize_t moved, bool reading);
  // stream_tls.cc
  Status start_tls(const TlsContext& context);
  IoResult tls_read(std::span<char> into);
  IoResult tls_write(std::string_view from);
  IoResult tls_result(int returned, std::size_t bytes);
  bool is_answered_in_plain();
  bool has_buffered() const;  ///< bytes that a wait on the socket would not see
  void say_tls_goodbye();
  void free_tls();
  // stream_detect.cc
  Awaitable<Result<FirstBytes>> detect_plain(std::uint32_t frame_bytes_max);
  void set_low_water(std::size_t bytes);
  Awaitable<Result<FirstBytes>> detect_tls(std::uint32_t frame_bytes_max);

  tcp::socket socket_;
  tcp::endpoint remote_;
  std::string unread_;       ///< at most kFirstBytesMax bytes that detection took from TLS and reading gets first
  ssl_st* ssl_ = nullptr;    ///< owned; null on a plain stream and after close()
  bool tls_ = false;         ///< set once by start_tls
  bool low_water_ = false;   ///< more than one byte must lie there for the socket to count as readable
  bool tls_failed_ = false;  ///< OpenSSL forbids SSL_shutdown after a fatal error
};

}  // namespace holdfast
