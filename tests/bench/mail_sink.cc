#include "tests/bench/mail_sink.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <string>
#include <string_view>
#include <thread>

#include "net/task_group.h"

namespace holdfast::bench {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::size_t kMailBytesMax = 16u << 20;

/// To a line that is no part of a mail. Empty: the connection ends after it.
std::string_view reply_to(std::string_view line) {
  const std::string_view verb = line.substr(0, 4);
  if (verb == "EHLO") return "250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n";
  if (verb == "DATA") return "354 go on\r\n";
  if (verb == "QUIT") return {};
  return "250 fine\r\n";
}

}  // namespace

struct MailSink::Impl {
  asio::io_context io{1};
  tcp::acceptor acceptor{io, {asio::ip::address_v4::loopback(), 0}};
  TaskGroup tasks{io.get_executor()};
  std::atomic<std::uint64_t> taken{0};
  std::atomic<SteadyTime::rep> last{0};
  std::thread thread;  // last: it uses the others

  Awaitable<void> accept() {
    for (;;) {
      tcp::socket socket = co_await acceptor.async_accept(asio::use_awaitable);
      tasks.spawn("relay's connection", serve(std::move(socket)));
    }
  }

  Awaitable<void> serve(tcp::socket socket) {
    try {
      co_await converse(socket);
    } catch (const boost::system::system_error&) {  // the other side has gone
    }
  }

  Awaitable<void> converse(tcp::socket& socket) {
    std::string input;
    co_await asio::async_write(socket, asio::buffer(std::string_view("220 sink\r\n")), asio::use_awaitable);
    for (bool in_mail = false;;) {
      const std::string_view end = in_mail ? "\r\n.\r\n" : "\r\n";
      const std::size_t size = co_await asio::async_read_until(socket, asio::dynamic_buffer(input, kMailBytesMax),
                                                               std::string(end), asio::use_awaitable);
      const std::string_view reply = in_mail ? "250 taken\r\n" : reply_to(input);
      if (reply.empty()) co_return;
      const bool begins = !in_mail && input.starts_with("DATA");
      input.erase(0, size);
      if (in_mail) {
        last = steady_now().time_since_epoch().count();
        ++taken;
      }
      in_mail = begins;
      co_await asio::async_write(socket, asio::buffer(reply), asio::use_awaitable);
    }
  }
};

MailSink::MailSink() : impl_(std::make_unique<Impl>()) {
  port_ = impl_->acceptor.local_endpoint().port();
  impl_->tasks.spawn("relay", impl_->accept());
  impl_->thread = std::thread([this] { impl_->io.run(); });
}

MailSink::~MailSink() {
  asio::post(impl_->io, [this] { impl_->tasks.cancel(); });
  impl_->thread.join();
}

std::uint64_t MailSink::taken() const { return impl_->taken; }

SteadyTime MailSink::last_taken() const { return SteadyTime(SteadyTime::duration(impl_->last.load())); }

}  // namespace holdfast::bench
