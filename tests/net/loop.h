/// What the network tests share: one loop in one thread, and pairs of connected streams. No fixed ports, no sleeps.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <catch2/catch.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "net/listener.h"
#include "net/stream.h"
#include "net/task_group.h"
#include "net/tls.h"

namespace holdfast::testing {

/// A loop with a task group. `run` ends when every task has ended; a test that hangs fails after ten seconds.
class Loop {
 public:
  void spawn(Awaitable<void> task) { tasks_.spawn("test", std::move(task)); }
  void run() {
    context_.restart();
    context_.run_for(std::chrono::seconds(10));
    REQUIRE(tasks_.size() == 0);
  }
  /// Runs what can run now; says how much that was.
  std::size_t poll() {
    context_.restart();
    return context_.poll();
  }
  boost::asio::io_context& context() { return context_; }
  any_io_executor executor() { return context_.get_executor(); }
  TaskGroup& tasks() { return tasks_; }

 private:
  boost::asio::io_context context_;
  TaskGroup tasks_{context_.get_executor()};
};

struct Pair {
  std::unique_ptr<Stream> client;
  std::unique_ptr<Stream> server;
};

/// Two ends of one connection over loopback.
inline Pair connected_pair(Loop& loop) {
  tcp::acceptor acceptor(loop.executor(), tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
  tcp::socket client(loop.executor());
  client.connect(acceptor.local_endpoint());
  auto server = acceptor.accept();
  return {std::make_unique<Stream>(std::move(client)), std::make_unique<Stream>(std::move(server))};
}

/// A folder that goes with the test.
class TempFolder {
 public:
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "holdfast-test-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

/// A fresh self-signed certificate and contexts that go with it.
struct Certified {
  TempFolder folder;
  std::string certificate = folder.file("cert.pem");
  std::string key = folder.file("key.pem");
  TlsContext server = make();
  TlsContext client = client_with({.ca_file = certificate, .pinned_fingerprint = {}, .insecure = false});

  static TlsContext client_with(const TlsTrust& trust) {
    auto context = TlsContext::client(trust);
    REQUIRE(context);
    return *context;
  }

 private:
  TlsContext make() {
    auto made = make_self_signed(certificate, key, {"chat.example.org"});
    REQUIRE(made);
    auto context = TlsContext::server(certificate, key);
    REQUIRE(context);
    return *context;
  }
};

/// Sends back what comes until the end, then ends.
inline Awaitable<void> echo(Stream& stream) {
  std::string buffer(16 * 1024, '\0');
  for (;;) {
    const std::span<char> room(buffer);
    const auto read = co_await stream.read_some(room);
    if (read.error) break;
    const auto error = co_await stream.write_all(std::string_view(buffer).substr(0, read.bytes));
    if (error) break;
  }
  stream.shutdown();
}

inline Awaitable<void> write_and_shutdown(Stream& stream, std::string bytes) {
  const auto error = co_await stream.write_all(bytes);
  CHECK(!error);
  stream.shutdown();
}

/// Everything up to the end.
inline Awaitable<void> read_to_end(Stream& stream, std::string& into, error_code& end) {
  std::string buffer(16 * 1024, '\0');
  for (;;) {
    const std::span<char> room(buffer);
    const auto read = co_await stream.read_some(room);
    if (read.error) {
      end = read.error;
      co_return;
    }
    into.append(buffer, 0, read.bytes);
  }
}

/// A megabyte-sized text without a period that could hide a swap.
inline std::string long_text(std::size_t bytes) {
  std::string text;
  text.reserve(bytes);
  for (std::uint32_t x = 1; text.size() < bytes; x = x * 1664525 + 1013904223)
    text.push_back(static_cast<char>(x >> 24));
  return text;
}

}  // namespace holdfast::testing
