// Letters to readers who get mail, and the mails: H11.
#include <algorithm>
#include <set>

#include "tools/holdfast-chaos/checks.h"

namespace holdfast::chaos {
namespace {

/// A mail is begun by an entry, put together from what other partitions say, and offered when a connection is free. That is
/// within 3 s where nothing is broken (4 with some room), as for whoever waits for an answer.
constexpr Micros kInHandMax = 4'000'000;
/// After a cut is mended TCP may take so long to go on with what was under way; a sender waits no longer for an answer.
constexpr Micros kAfterwardsMax = 6'000'000;

std::string at(Micros time) { return std::to_string(time / 1'000) + " ms"; }

/// Whether a node that is broken in this way may keep a mail in its hands, and go on with it afterwards. Of other faults
/// only the failover is in the way.
bool holds_back(const std::string& fault) {
  static const std::set<std::string> kKinds = {"pause",   "cut",      "cut-in",    "cut-out",
                                               "partial", "slow-net", "slow-disk", "full-disk"};
  return kKinds.contains(fault.substr(0, fault.find(':')));
}

class MailCheck {
 public:
  MailCheck(const History& history, const CheckLimits& limits, Findings& found)
      : history_(history),
        in_hand_max_(std::max(kInHandMax, limits.recovery_max / 2)),
        mail_(history.mail),
        found_(found) {}

  void run() {
    for (const std::string& why : mail_.strange) found_.say(Kind::unchecked, why);
    for (const std::uint64_t letter : not_mailed(mail_))
      found_.say(Kind::mail_missing,
                 name(letter) + " was acknowledged at " + at(mail_.letters[letter].acked) + ", and is in no mail");
    for (const Mail& mail : mail_.mails) check(mail);
    for (std::uint64_t id = 0; id < mail_.letters.size(); ++id) check_letter(id);
  }

 private:
  std::string name(std::uint64_t letter) const {
    if (letter >= mail_.letters.size()) return "letter " + std::to_string(letter) + ", which nobody wrote,";
    return "letter " + std::to_string(letter) + " to " + mail_.readers[reader_of(letter)].name;
  }
  std::uint32_t reader_of(std::uint64_t letter) const { return mail_.talks[mail_.letters[letter].talk].reader; }

  void check(const Mail& mail) {
    for (const std::uint64_t letter : mail.letters) {
      if (letter >= mail_.letters.size())
        found_.say(Kind::phantom, name(letter) + " is in mail " + mail.id);
      else if (reader_of(letter) != mail.reader)
        found_.say(Kind::phantom, name(letter) + " was mailed to " + mail_.readers[mail.reader].name);
      else
        check_wanted(mail, letter);
    }
    if (!mail.refused) check_once(mail);
  }

  void check_wanted(const Mail& mail, std::uint64_t letter) {
    const Letter& about = mail_.letters[letter];
    const std::string what = name(letter) + " was mailed at " + at(mail.offered);
    if (mail_.talks[about.talk].muted) found_.say(Kind::mail_unwanted, what + ", and the conversation is muted");
    if (is_before(about.acknowledged, mail))
      found_.say(Kind::mail_unwanted, what + ", having been acknowledged at " + at(about.acknowledged));
    if (is_before(about.deleted, mail))
      found_.say(Kind::mail_unwanted, what + ", having been deleted at " + at(about.deleted));
  }

  /// Whether it had certainly happened when the mail's sending was committed.
  bool is_before(Micros moment, const Mail& mail) const {
    if (moment < 0 || mail.offered - moment <= kInHandMax) return false;
    if (mail.offered - moment <= in_hand_max_ && was_broken(moment, mail.offered)) return false;
    return std::ranges::none_of(history_.faults, [&](const Fault& fault) {
      return holds_back(fault.kind) && fault.began <= mail.offered && moment <= fault.ended + kAfterwardsMax;
    });
  }

  /// Under one Message-ID again only where something was broken meanwhile; under another one never.
  void check_once(const Mail& mail) {
    const Mail*& before = by_id_[mail.id];
    if (before && !was_broken(before->taken, mail.offered))
      found_.say(Kind::mail_repeated, "mail " + mail.id + " came at " + at(before->taken) + " and again at " +
                                          at(mail.taken) + ", and nothing was broken meanwhile");
    before = &mail;
    for (const std::uint64_t letter : mail.letters) {
      const std::string& id = mails_.try_emplace(letter, mail.id).first->second;
      if (id != mail.id)
        found_.say(Kind::mail_repeated, name(letter) + " is in mail " + id + " and in mail " + mail.id);
    }
  }

  /// Until all was in sync again, and what that took of moves.
  bool was_broken(Micros from, Micros to) const {
    return std::ranges::any_of(history_.faults, [&](const Fault& fault) {
      return fault.began <= to && from <= std::max(fault.ended, fault.healthy) + kAfterwardsMax;
    });
  }

  void check_letter(std::uint64_t id) {
    const Letter& letter = mail_.letters[id];
    if (letter.times_shown > 1)
      found_.say(Kind::duplicated, name(id) + " was shown " + std::to_string(letter.times_shown) + " times");
    // One that was deleted may be gone before its reader comes.
    if (letter.acked >= 0 && letter.shown < 0 && letter.delete_asked < 0)
      found_.say(Kind::not_delivered, name(id) + " was acknowledged at " + at(letter.acked) + " and never shown");
  }

  const History& history_;
  const Micros in_hand_max_;  ///< where something was broken
  const MailHistory& mail_;
  Findings& found_;
  std::map<std::string, const Mail*> by_id_;
  std::map<std::uint64_t, std::string> mails_;  ///< by letter
};

/// What a mail only counts is what comes behind what it shows: letters of its talk, by their numbers.
void take_counted(const MailHistory& history, const Mail& mail, std::set<std::uint64_t>& mailed) {
  if (mail.more == 0 || mail.letters.empty() || mail.letters.back() >= history.letters.size()) return;
  const Letter& last = history.letters[mail.letters.back()];
  std::map<std::uint64_t, std::uint64_t> behind;  // number -> letter
  for (std::uint64_t id = 0; id < history.letters.size(); ++id) {
    const Letter& one = history.letters[id];
    if (one.talk == last.talk && one.acked >= 0 && one.number > last.number && one.delete_asked < 0)
      behind.emplace(one.number, id);
  }
  std::uint64_t left = mail.more;
  for (const auto& [number, id] : behind) {
    if (left-- == 0) return;
    mailed.insert(id);
  }
}

}  // namespace

std::vector<std::uint64_t> not_mailed(const MailHistory& history) {
  std::set<std::uint64_t> mailed;
  for (const Mail& mail : history.mails) {
    if (mail.refused) continue;
    mailed.insert(mail.letters.begin(), mail.letters.end());
    take_counted(history, mail, mailed);
  }
  std::vector<std::uint64_t> missing;
  for (std::uint64_t id = 0; id < history.letters.size(); ++id) {
    const Letter& letter = history.letters[id];
    const Talk& talk = history.talks[letter.talk];
    const bool is_due = letter.acked >= 0 && letter.delete_asked < 0 && !talk.muted;
    if (is_due && history.readers[talk.reader].stays_away && !mailed.contains(id)) missing.push_back(id);
  }
  return missing;
}

void check_mails(const History& history, const CheckLimits& limits, Findings& found) {
  MailCheck(history, limits, found).run();
}

}  // namespace holdfast::chaos
