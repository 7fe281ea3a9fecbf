#include "tools/holdfast-chaos/crowd_thread.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <optional>

namespace holdfast::chaos {

namespace {

Awaitable<void> prepare_into(Crowd* crowd, std::optional<Status>* prepared) {
  auto done = co_await crowd->prepare();
  prepared->emplace(std::move(done));
}

}  // namespace

struct CrowdThread::Sending {
  std::future<void> ended;
};

CrowdThread::CrowdThread(CrowdOptions options)
    : work_(boost::asio::make_work_guard(io_)),
      crowd_(std::make_unique<Crowd>(io_.get_executor(), std::move(options))),
      thread_([this] { io_.run(); }) {}

CrowdThread::~CrowdThread() {
  work_.reset();
  io_.stop();
  thread_.join();
}

Status CrowdThread::prepare() {
  std::optional<Status> prepared;  // a future's value would have to be one that can be empty
  boost::asio::co_spawn(io_, prepare_into(crowd_.get(), &prepared), boost::asio::use_future).get();
  return *prepared;
}

void CrowdThread::start_sending() {
  sending_ = std::make_unique<Sending>();
  sending_->ended = boost::asio::co_spawn(io_, crowd_->send(), boost::asio::use_future);
}

void CrowdThread::stop_sending() {
  boost::asio::post(io_, [this] { crowd_->stop(); });
  if (sending_) sending_->ended.get();
  sending_.reset();
}

bool CrowdThread::settle(std::chrono::seconds max) {
  return boost::asio::co_spawn(io_, crowd_->settle(max), boost::asio::use_future).get();
}

void CrowdThread::read_back() { boost::asio::co_spawn(io_, crowd_->read_back(), boost::asio::use_future).get(); }

void CrowdThread::come_back() { boost::asio::co_spawn(io_, crowd_->come_back(), boost::asio::use_future).get(); }

void CrowdThread::close() { boost::asio::co_spawn(io_, crowd_->close(), boost::asio::use_future).get(); }

std::vector<client::Endpoint> CrowdThread::whereabouts() {
  std::promise<std::vector<client::Endpoint>> answer;
  boost::asio::post(io_, [&] { answer.set_value(crowd_->whereabouts()); });
  return answer.get_future().get();
}

MailHistory CrowdThread::mail() {
  std::promise<MailHistory> answer;
  boost::asio::post(io_, [&] { answer.set_value(crowd_->history().mail); });
  return answer.get_future().get();
}

std::uint64_t CrowdThread::acked() {
  std::promise<std::uint64_t> answer;
  boost::asio::post(io_, [&] { answer.set_value(crowd_->acked()); });
  return answer.get_future().get();
}

}  // namespace holdfast::chaos
