/// What the clients of one thread share: timer, read buffer, TLS contexts, and the turn in which they write.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <memory>

namespace holdfast::client {

/// Owned by the application, for one io_context run by one thread; outlives its clients.
///
/// Everything that its clients have to write in one turn of the loop goes out at the turn's end, one write for each
/// connection. It keeps no loop running: when all clients are closed, io_context::run() returns by itself. Before it
/// is destroyed, the clients are destroyed and the loop has run until it returned (or is itself gone).
class ClientRuntime {
 public:
  explicit ClientRuntime(boost::asio::any_io_executor executor);
  ~ClientRuntime();
  ClientRuntime(const ClientRuntime&) = delete;
  ClientRuntime& operator=(const ClientRuntime&) = delete;

  boost::asio::any_io_executor executor() const;
  /// Bytes of frames that its native connections read and wrote so far, without what TLS and TCP add.
  struct Traffic {
    std::uint64_t read_bytes = 0;
    std::uint64_t written_bytes = 0;
  };
  const Traffic& traffic() const;
  /// Cuts short what is still under way for clients that are closed (an attempt to connect, a closing handshake),
  /// once the loop runs. The runtime takes no clients after that.
  void cancel();

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::client
