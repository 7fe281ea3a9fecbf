/// The story that the services are for, told against real processes: a user who can't be reached in chat is reached by
/// mail and answers it, and one who forgot the password gets back in.
///
/// One node or several serve; `between` happens in the middle of each step, after what sets it off and before what must
/// come of it: that is where nodes are killed. Real are the servers, Postfix, and the browser. Catch2's requirements are in
/// here. Needs root, as Postfix does.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/integration/person.h"
#include "tests/support/browser.h"
#include "tests/support/postfix.h"

namespace holdfast::testing {

/// Postfix between the servers and the user's mailbox, both ways.
class MailRoom {
 public:
  /// Answers are handed over to whichever of so many nodes takes them.
  explicit MailRoom(unsigned nodes);
  Postfix& postfix() { return *postfix_; }
  /// What goes into holdfast.toml of that node: [mail], [lmtp] and [fallback].
  std::string config(unsigned node) const;

 private:
  std::vector<std::uint16_t> lmtp_ports_;
  std::unique_ptr<Postfix> postfix_;
};

class Story {
 public:
  struct Scene {
    MailRoom& mails;
    Stage& stage;
    std::function<std::uint16_t()> http_port;         ///< of a node that is up
    std::function<void(const UserId& anna)> between;  ///< in the middle of a step
    std::function<void()> after = [] {};              ///< when a step is done
    bool kills = false;                               ///< `between` does
  };
  explicit Story(Scene scene);

  /// All of it, in order.
  void tell();

 private:
  void registers_and_verifies();
  void misses_messages_and_gets_them_by_mail();
  void answers_by_mail();
  void comes_back_and_sees_both();
  void forgets_the_password_and_sets_a_new_one();
  void finds_old_sessions_dead_and_logs_in();
  void got_each_mail_once();

  struct Letter {
    std::string text;      ///< decoded
    std::string reply_to;  ///< an address, or empty
    std::string message_id;
    std::string subject;
  };
  /// The next mail that Anna's mailbox gets whose subject has this in it, and that is not one before again.
  Letter next_letter(const std::string& about);
  std::string link_in(const Letter& letter, const std::string& page);
  void open(const std::string& path);

  Scene scene_;
  Browser browser_;
  std::size_t read_ = 0;        ///< of the mailbox
  std::set<std::string> seen_;  ///< their Message-IDs
  std::string anna_name_;
  std::unique_ptr<Person> anna_, ben_;
  std::optional<client::SavedSession> annas_session_;
  ConversationId talk_;
  std::uint64_t last_ = 0;  ///< change of the talk
  Letter missed_;
};

}  // namespace holdfast::testing
