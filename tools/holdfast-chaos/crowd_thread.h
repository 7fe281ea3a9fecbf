/// The crowd on a thread of its own, for a caller that blocks: whoever breaks things waits for processes, not for events.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <thread>

#include "tools/holdfast-chaos/crowd.h"

namespace holdfast::chaos {

/// Owned by main; its thread inherits the network namespace of the thread that makes it.
class CrowdThread {
 public:
  explicit CrowdThread(CrowdOptions options);
  /// Ends the thread; what was not closed is dropped.
  ~CrowdThread();
  CrowdThread(const CrowdThread&) = delete;
  CrowdThread& operator=(const CrowdThread&) = delete;

  // Each waits until it is done on the crowd's thread.
  Status prepare();
  void start_sending();
  void stop_sending();  ///< and waits until the sender has ended
  bool settle(std::chrono::seconds max);
  void read_back();
  void come_back();
  void close();
  /// What was written to those who get mail, so far.
  MailHistory mail();
  std::uint64_t acked();
  std::vector<client::Endpoint> whereabouts();

  /// After close().
  History& history() { return crowd_->history(); }

 private:
  struct Sending;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::unique_ptr<Crowd> crowd_;
  std::unique_ptr<Sending> sending_;
  std::thread thread_;
};

}  // namespace holdfast::chaos
