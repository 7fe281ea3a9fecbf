#include "tests/support/fake_backend.h"

#include "server/services/flows.h"

namespace holdfast::chat {

FakeBackend::FakeBackend(std::uint16_t partitions) {
  for (std::uint16_t i = 0; i < partitions; ++i)
    partitions_.push_back(std::make_unique<RuleFixture>(partitions, PartitionId(i)));
}

void FakeBackend::ask(PartitionId id, command::Command command, std::function<void(command::Answer)> then) {
  later([this, id, command = std::move(command), then = std::move(then)] { then(partition(id).run(command)); });
}

void FakeBackend::hash_password(std::string password, std::function<void(Result<std::string>)> then) {
  later([this, password = std::move(password), then = std::move(then)] {
    if (password_pool_full) return then(Error{Errc::retry_later, "full"});
    then("hash " + std::to_string(random_.next()) + " of " + password);
  });
}

void FakeBackend::verify_password(std::string hash, std::string password, std::function<void(Result<bool>)> then) {
  later([this, hash = std::move(hash), password = std::move(password), then = std::move(then)] {
    if (password_pool_full) return then(Error{Errc::retry_later, "full"});
    verified_against.push_back(hash);
    then(!hash.empty() && hash.ends_with(" of " + password));
  });
}

void FakeBackend::set_limits(const Limits& limits) {
  limits_ = limits;
  for (auto& partition : partitions_) partition->limits = limits;
}

void FakeBackend::rotate_token_key(std::function<void(Status)> then) {
  later([this, then = std::move(then)] {
    keys_ = keys_.rotated(now_, limits_.session_unused_max, random_);
    then(Ok{});
  });
}

void FakeBackend::advance(std::chrono::milliseconds by) {
  now_ += by;
  for (auto& partition : partitions_) partition->now = now_;
}

void FakeBackend::settle(std::size_t steps_max) {
  for (; !queue_.empty() && steps_max > 0; --steps_max) {
    const auto step = std::move(queue_.front());
    queue_.pop_front();
    step();
  }
  queue_.clear();
}

RequestOutcome FakeBackend::run(const Caller& caller, v1::ClientFrame frame) {
  std::optional<RequestOutcome> got;
  const auto then = [&got](RequestOutcome outcome) {
    HF_CHECK(!got, "answered once");
    got = std::move(outcome);
  };
  services::run_request(*this, caller, std::move(frame), then,
                        [this](v1::ServerFrame push) { pushed.push_back(push); });
  settle();
  HF_CHECK(got, "every request is answered");
  return *got;
}

v1::ClientFrame registration(FakeBackend& backend, const std::string& username, const std::string& password) {
  v1::ClientFrame frame;
  frame.set_idempotency_id(backend.fresh_id().str());
  frame.mutable_register_()->set_username(username);
  frame.mutable_register_()->set_password(password);
  return frame;
}

v1::ClientFrame login(FakeBackend& backend, const std::string& username, const std::string& password) {
  v1::ClientFrame frame;
  frame.set_idempotency_id(backend.fresh_id().str());
  frame.mutable_log_in()->set_username(username);
  frame.mutable_log_in()->set_password(password);
  return frame;
}

v1::ClientFrame resumption(const std::string& token, std::uint64_t cursor) {
  v1::ClientFrame frame;
  frame.mutable_resume()->set_token(token);
  frame.mutable_resume()->set_cursor(cursor);
  return frame;
}

Caller caller_after(const RequestOutcome& outcome) {
  HF_CHECK(outcome.logged_in, "logged in");
  Caller caller;
  caller.user = outcome.logged_in->user;
  caller.session = outcome.logged_in->session;
  caller.username = outcome.logged_in->username;
  return caller;
}

Device new_user(FakeBackend& backend, const std::string& username, const std::string& password) {
  const RequestOutcome made = backend.run({}, registration(backend, username, password));
  return {caller_after(made), made.frame.session().token()};
}

}  // namespace holdfast::chat
