/// OneThreadNode's side towards clients: what a worker is to its gateway. Only its own files include this.
#pragma once

#include "tests/support/one_thread_node.h"

namespace holdfast {

class OneThreadNode::Door final : public chat::Backend, public chat::Attachments {
 public:
  Door(OneThreadNode& node, std::uint16_t index) : node_(node), index_(index) {}

  void ask(PartitionId partition, command::Command command, std::function<void(command::Answer)> then) override;
  void hash_password(std::string password, std::function<void(Result<std::string>)> then) override;
  void verify_password(std::string hash, std::string password, std::function<void(Result<bool>)> then) override;
  std::uint16_t partitions() const override;
  const chat::Limits& limits() const override;
  const chat::TokenKeys& token_keys() const override;
  const chat::MailKey& mail_key() const override;
  void rotate_token_key(std::function<void(Status)> then) override;
  WallTime now() const override;
  Random& random() override;

  void attach(const chat::Attach& attach) override;
  void detach(const UserId& user, chat::ConnectionRef connection) override;
  void give_credit(const UserId& user, chat::ConnectionRef connection, std::uint64_t bytes) override;
  void watch_presence(chat::ConnectionRef watcher, const std::vector<UserId>& users) override;
  SteadyTime confirmed_at(PartitionId partition) const override;

 private:
  std::size_t place() const;

  OneThreadNode& node_;
  const std::uint16_t index_;
};

}  // namespace holdfast
