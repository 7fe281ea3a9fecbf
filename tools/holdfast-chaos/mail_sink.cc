#include "tools/holdfast-chaos/mail_sink.h"

#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fstream>
#include <map>
#include <mutex>
#include <string_view>
#include <thread>

#include "base/random.h"
#include "net/task_group.h"

namespace holdfast::chaos {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::size_t kMailBytesMax = 16u << 20;
constexpr std::uint64_t kRefusedOneOf = 4;
constexpr int kRefusals = 2;  // of each of those
constexpr std::uint64_t kAnswerMaxMs = 250;
constexpr std::string_view kEndOfMail = "\r\n.\r\n";

/// To a line that is no part of a mail. Empty: the connection ends after it.
std::string_view reply_to(std::string_view verb) {
  if (verb == "EHLO") return "250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n";
  if (verb == "DATA") return "354 go on\r\n";
  if (verb == "QUIT") return {};
  return "250 fine\r\n";
}

/// RFC 5321, 4.5.2.
std::string without_stuffing(std::string text) {
  if (text.starts_with("..")) text.erase(0, 1);
  for (std::size_t at = 0; (at = text.find("\r\n..", at)) != std::string::npos; at += 2) text.erase(at + 2, 1);
  return text;
}

}  // namespace

struct MailSink::Impl {
  explicit Impl(const MailSinkOptions& settings) : options(settings), random(settings.seed) {}

  const MailSinkOptions options;
  asio::io_context io{1};
  tcp::acceptor acceptor{io};
  TaskGroup tasks{io.get_executor()};
  std::atomic<bool> refuses{true};
  // On the thread.
  std::ofstream file;
  SeededRandom random;
  std::map<std::string, int> refusals;  ///< still to be made, by Message-ID
  // Both threads.
  mutable std::mutex mutex;
  std::vector<OfferedMail> mails;
  std::thread thread;  // last: it uses the others

  Status listen() {
    file.open(options.file, std::ios::trunc);
    if (!file) return Error{Errc::io, "can't write " + options.file.string()};
    boost::system::error_code failed;
    const tcp::endpoint where(asio::ip::make_address(options.address, failed), 0);
    if (!failed) acceptor.open(where.protocol(), failed);
    if (!failed) acceptor.bind(where, failed);
    if (!failed) acceptor.listen(tcp::acceptor::max_listen_connections, failed);
    if (failed) return Error{Errc::io, "the relay can't listen on " + options.address + ": " + failed.message()};
    return Ok{};
  }

  std::int64_t now() const {
    return std::chrono::duration_cast<std::chrono::microseconds>(steady_now() - options.began).count();
  }

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
    std::int64_t offered = 0;
    for (;;) {
      const std::size_t size = co_await asio::async_read_until(socket, asio::dynamic_buffer(input, kMailBytesMax),
                                                               std::string("\r\n"), asio::use_awaitable);
      const std::string verb = input.substr(0, 4);
      input.erase(0, size);
      const std::string_view reply = reply_to(verb);
      if (reply.empty()) co_return;
      if (verb == "MAIL") offered = now();
      co_await asio::async_write(socket, asio::buffer(reply), asio::use_awaitable);
      if (verb == "DATA") co_await take_mail(socket, input, offered);
    }
  }

  Awaitable<void> take_mail(tcp::socket& socket, std::string& input, std::int64_t offered) {
    const std::size_t size = co_await asio::async_read_until(socket, asio::dynamic_buffer(input, kMailBytesMax),
                                                             std::string(kEndOfMail), asio::use_awaitable);
    const bool taken = keep(without_stuffing(input.substr(0, size - 3)), offered);  // its last line has its end
    input.erase(0, size);
    asio::steady_timer timer(socket.get_executor(), std::chrono::milliseconds(random.below(kAnswerMaxMs)));
    co_await timer.async_wait(asio::use_awaitable);
    const std::string_view reply = taken ? "250 taken\r\n" : "451 4.3.0 come again\r\n";
    co_await asio::async_write(socket, asio::buffer(reply), asio::use_awaitable);
  }

  bool is_refused(const std::string& id) {
    const auto [known, is_new] = refusals.try_emplace(id, 0);
    if (is_new && random.below(kRefusedOneOf) == 0) known->second = kRefusals;
    return refuses && known->second-- > 0;
  }

  bool keep(const std::string& text, std::int64_t offered) {
    OfferedMail mail{offered, now(), false, read_mail_text(text)};
    mail.refused = mail.text && is_refused(mail.text->id);
    file << "mail " << mail.offered << ' ' << mail.taken << (mail.refused ? " refused " : " taken ") << text.size()
         << '\n'
         << text << std::endl;
    const std::lock_guard lock(mutex);
    mails.push_back(std::move(mail));
    return !mails.back().refused;
  }
};

Result<std::unique_ptr<MailSink>> MailSink::open(const MailSinkOptions& options) {
  auto impl = std::make_unique<Impl>(options);
  if (auto listening = impl->listen(); !listening) return listening.error();
  return std::unique_ptr<MailSink>(new MailSink(std::move(impl)));
}

MailSink::MailSink(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {
  impl_->tasks.spawn("relay", impl_->accept());
  impl_->thread = std::thread([this] { impl_->io.run(); });
}

MailSink::~MailSink() {
  asio::post(impl_->io, [this] { impl_->tasks.cancel(); });
  impl_->thread.join();
}

std::string MailSink::url() const {
  return "smtp://" + impl_->options.address + ":" + std::to_string(impl_->acceptor.local_endpoint().port());
}

void MailSink::refuse_no_more() { impl_->refuses = false; }

std::vector<OfferedMail> MailSink::mails() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->mails;
}

}  // namespace holdfast::chaos
