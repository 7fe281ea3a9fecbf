/// People who talk and get mail, on a FakeNode: what the tests of e-mail fallback begin with.
#pragma once

#include <string>
#include <vector>

#include "server/services/missed_assembly.h"
#include "tests/support/fake_node.h"

namespace holdfast::services {

/// A relay that takes everything, and remembers it.
class Carrier final : public Outside {
 public:
  struct Sent {
    UserId user;
    IntentId id;
    std::string to, name;  ///< the address; the template
    Addition addition;
    std::string value(const std::string& key) const;
    /// Of the messages shown, in order.
    std::vector<std::string> texts() const;
  };
  std::vector<Sent> sent;
  bool is_down = false;

  void begin(chat::Backend& backend, chat::BeginIntent intent, IsOurs,
             std::function<void(command::IntentDone)> then) override;

 private:
  const Assemble assemble_ = assemble_missed({.base_url = "https://chat.test", .takes_answers = true});
};

struct Townsman {
  std::string name;
  UserId id;
  chat::Caller caller;
};

struct Town {
  explicit Town(std::uint16_t partitions = 4) : node(partitions) { node.outside = &carrier; }
  Town(const Town&) = delete;
  Town& operator=(const Town&) = delete;

  FakeNode node;
  Carrier carrier;

  /// Registered, with one device; with mail: an address, verified.
  Townsman person(const std::string& name, bool mail = true);
  /// Another device of that person's.
  Townsman device(const Townsman& who);
  void set_address(const Townsman& who, const std::string& address, bool verified);

  v1::ServerFrame ask(const Townsman& who, v1::ClientFrame frame);
  std::string talk(const Townsman& who, const Townsman& other);
  std::string group(const Townsman& owner, const std::string& title, const std::vector<Townsman>& members);
  /// The number of the post. CHECKs that it went well.
  std::uint64_t say(const Townsman& who, const std::string& where, const std::string& text,
                    const std::string& content_type = {});
  /// The device has everything.
  void acknowledge(const Townsman& who);
  void read(const Townsman& who, const std::string& where, std::uint64_t number);
  v1::ErrorCode settings(const Townsman& who, v1::MailMode mode, std::uint64_t delay_s = 0);

  void minutes(int count) { node.pass(std::chrono::minutes(count)); }
  state::Mailbox mailbox(const Townsman& who);
  /// What became of intents, in the order in which they ended.
  std::vector<log::IntentEnded::Outcome> ended() const;
};

}  // namespace holdfast::services
