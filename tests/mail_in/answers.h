/// Both ends of an answer's way through a mail server: a client that hands a mail to Postfix, and the LMTP listener that
/// Postfix hands it on to, with what it took.
///
/// For tests only. Blocking, but for the listener, which runs on a thread of its own and ends with its owner.
#pragma once

#include <boost/asio/io_context.hpp>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "server/lmtp/lmtp_server.h"

namespace holdfast::testing {

struct TakenAnswer {
  std::uint8_t recipient;  ///< whose address (address_of) it came to
  std::string message_id;
  std::string text;
};

/// The address of one of these tests' recipients; known are 1 to 9.
std::string address_of(std::uint8_t recipient);

class AnswerListener {
 public:
  /// Of `outcomes`, each post gets the next one; when they are used up, it is made.
  explicit AnswerListener(std::vector<Status> outcomes = {}, lmtp::SessionOptions session = {});
  ~AnswerListener();

  std::uint16_t port() const { return port_; }
  /// Waits until so many were handed over; 30 seconds at most, then fewer.
  std::vector<TakenAnswer> wait_for(std::size_t answers);

 private:
  lmtp::Parts parts();
  Status take(const lmtp::ReplyTarget& target, std::string message_id, std::string text);

  boost::asio::io_context context_;
  lmtp::LmtpServer server_;
  std::uint16_t port_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<TakenAnswer> taken_;
  std::size_t used_outcomes_ = 0;
  const std::vector<Status> outcomes_;

  std::thread thread_;
};

/// Hands a mail (lines with LF) to the mail server on 127.0.0.1. Requires that it takes it.
void submit(std::uint16_t port, const std::string& from, const std::vector<std::string>& to, const std::string& mail);

/// The code by which it answers RCPT for this address, and what stands behind it; nothing is handed over.
std::string reply_to_recipient(std::uint16_t port, const std::string& address);

}  // namespace holdfast::testing
