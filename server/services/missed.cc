#include "server/services/missed.h"

#include <algorithm>

#include "base/check.h"
#include "server/chat/inbox.h"
#include "server/chat/once.h"
#include "server/services/intents.h"
#include "server/services/missed_scan.h"
#include "storage/big_endian.h"
#include "storage/keys.h"

namespace holdfast::services {
namespace {

using std::chrono::milliseconds;
using Days = std::chrono::duration<std::int64_t, std::ratio<86400>>;

constexpr std::size_t kRowsOfALook = 1'000;
constexpr std::chrono::hours kUsefulFor{48};     ///< a mail that no relay takes
constexpr std::chrono::hours kLookWhileOff{24};  ///< whether mail is still off

std::string timer_key(const UserId& user, std::int64_t time_ms) {
  return keys::due(static_cast<std::uint64_t>(time_ms), due_what(DueKind::missed, {user.bytes()}));
}

/// The two rows of a user that say what is to be looked at, and when. Written by save(), where they changed.
class Watch {
 public:
  Watch(const UserId& user, chat::View& view, chat::Draft& draft)
      : user_(user),
        draft_(draft),
        mailbox_(view.get<state::Mailbox>(keys::mailbox(user))),
        missed_(view.get<state::Missed>(keys::missed(user)).value_or(state::Missed())),
        watch_before_(mailbox_ ? mailbox_->watch() : state::Mailbox::OFF) {}

  bool exists() const { return mailbox_.has_value(); }
  const state::Mailbox& mailbox() const { return *mailbox_; }
  state::Missed& missed() { return missed_; }

  void set(state::Mailbox::Watch watch) { mailbox_->set_watch(watch); }
  void set_timer(std::optional<WallTime> time) {
    if (missed_.timer_ms() != 0) draft_.remove(timer_key(user_, missed_.timer_ms()));
    missed_.set_timer_ms(time ? to_ms(*time) : 0);
    if (time) draft_.put(timer_key(user_, missed_.timer_ms()), std::string());
  }
  void save() {
    draft_.put(keys::missed(user_), missed_);
    if (mailbox_->watch() != watch_before_) draft_.put(keys::mailbox(user_), *mailbox_);
  }

 private:
  const UserId user_;
  chat::Draft& draft_;
  std::optional<state::Mailbox> mailbox_;
  state::Missed missed_;
  const state::Mailbox::Watch watch_before_;
};

/// How many mails there may be on this day yet.
class Quota {
 public:
  Quota(const chat::Context& context, state::Missed& missed)
      : most_(context.limits.fallback.mails_of_a_day_max),
        day_(std::chrono::floor<Days>(context.now.time_since_epoch())),
        missed_(missed) {
    if (missed_.day() == day_.count()) return;
    missed_.set_day(day_.count());
    missed_.set_mailed_of_day(0);
  }
  bool take() {
    if (missed_.mailed_of_day() >= most_) return false;
    missed_.set_mailed_of_day(missed_.mailed_of_day() + 1);
    return true;
  }
  WallTime next_day() const { return WallTime(std::chrono::duration_cast<milliseconds>(day_ + Days(1))); }

 private:
  const std::uint32_t most_;
  const Days day_;
  state::Missed& missed_;
};

/// Works off what a look has found.
class Turn {
 public:
  Turn(const chat::Context& context, const UserId& user, const MailWish& wish, Watch& watch, chat::Draft& draft)
      : context_(context), user_(user), wish_(wish), watch_(watch), quota_(context, watch.missed()), draft_(draft) {}

  void work_off(MissedScan scan, std::uint64_t after) {
    std::uint64_t handled = std::max(after, scan.seen);
    for (MissedIn& in : scan.conversations) {
      const WallTime due = in.first_time + wish_.delay;
      const bool is_due = due <= context_.now;
      if (is_due && quota_.take()) {
        mail(in);
        continue;
      }
      wait_until(is_due ? quota_.next_day() : due);
      handled = std::min(handled, in.first_position - 1);
    }
    // Behind a stretch that was cut is nothing older than what waits in it.
    if (scan.cut && !next_) wait_until(context_.now);
    // What came after the rows were read came just now.
    if (!scan.cut && watch_.mailbox().head() > std::max(after, scan.seen)) wait_until(context_.now + wish_.delay);
    watch_.missed().set_handled(handled);
  }
  /// When the next look is due.
  std::optional<WallTime> next() const { return next_; }

 private:
  void wait_until(WallTime time) {
    const WallTime later = std::max(time, context_.now + milliseconds(1));
    next_ = next_ ? std::min(*next_, later) : later;
  }

  /// All that the conversation has by now goes into the mail, whether or not the look came so far.
  void mail(MissedIn& in) {
    state::Mail mail;
    mail.set_template_(wish_.mode == v1::MAIL_CONTENT && !in.head ? "missed_content" : "missed_notice");
    mail.set_to(wish_.address);
    mail.set_language(wish_.language);
    state::Mail::Missed& about = *mail.mutable_missed();
    about.set_conversation(in.conversation.str());
    about.set_first_number(in.first_number);
    about.set_last_number(in.entry.last_number());
    about.set_first_position(in.first_position);
    about.set_last_position(watch_.mailbox().head());
    about.set_last_posts(in.entry.last_posts());
    about.set_head(in.head);
    std::string number;
    append_u64(number, about.last_number());
    const IntentId id = intent_made_by("missed", {user_.bytes(), in.conversation.bytes(), number});
    // A millisecond each, so that they are begun in order.
    const WallTime due = context_.now + milliseconds(mails_++);
    add_intent(context_, {user_, id, due, context_.now + kUsefulFor, std::move(mail)}, draft_);
    in.entry.set_mailed_position(watch_.mailbox().head());
    draft_.put(keys::list(user_, in.conversation), in.entry);
  }

  const chat::Context& context_;
  const UserId user_;
  const MailWish& wish_;
  Watch& watch_;
  Quota quota_;
  chat::Draft& draft_;
  std::optional<WallTime> next_;
  std::int64_t mails_ = 0;
};

void end_watch(Watch& watch) {
  watch.set_timer(std::nullopt);
  watch.set(state::Mailbox::OFF);
  watch.save();
}

/// What is there is not mailed, and the next post sets a timer again.
void pass_over(Watch& watch) {
  watch.missed().set_handled(watch.mailbox().head());
  watch.set_timer(std::nullopt);
  watch.set(state::Mailbox::IDLE);
  watch.save();
}

}  // namespace

void watch_or_not(const chat::Context& context, const UserId& user, const MailWish& wish, chat::View& view,
                  chat::Draft& draft) {
  Watch watch(user, view, draft);
  if (!watch.exists()) return;
  const bool watches = watch.mailbox().watch() != state::Mailbox::OFF;
  if (!wish.watches) {
    if (watches) end_watch(watch);
    return;
  }
  if (!watches) {
    watch.missed().set_handled(watch.mailbox().head());
    watch.set(state::Mailbox::IDLE);
    return watch.save();
  }
  if (watch.missed().timer_ms() == 0) return;
  watch.set_timer(context.now + milliseconds(1));
  watch.save();
}

void drop_timer(const UserId& user, chat::View& view, chat::Draft& draft) {
  const auto missed = view.get<state::Missed>(keys::missed(user));
  if (!missed) return;
  if (missed->timer_ms() != 0) draft.remove(timer_key(user, missed->timer_ms()));
  draft.remove(keys::missed(user));
}

void arm_missed(const chat::Context& context, const command::Command& command, chat::View& view, chat::Draft& draft) {
  const UserId user = chat::user_of(command);
  const MailWish wish = mail_wish(context, user, view);
  Watch watch(user, view, draft);
  if (!watch.exists() || watch.mailbox().watch() == state::Mailbox::OFF) return;
  if (!wish.watches) return end_watch(watch);
  const WallTime due =
      wish.is_off() ? context.now + kLookWhileOff
                    : std::max(from_ms(command.arm_missed().since_ms()) + wish.delay, context.now + milliseconds(1));
  const std::int64_t set = watch.missed().timer_ms();
  if (set != 0 && from_ms(set) <= due) return;
  watch.set_timer(due);
  watch.save();
}

void missed_due(const chat::Context& context, const Due& due, chat::View& view, chat::Draft& draft) {
  const auto user = UserId::from_bytes(due.ids);
  HF_CHECK(user, "a user's timer names the user");
  const MailWish wish = mail_wish(context, *user, view);
  Watch watch(*user, view, draft);
  // Not the one that is set: a leftover.
  if (!watch.exists() || timer_key(*user, watch.missed().timer_ms()) != due.key)
    return draft.remove(std::string(due.key));
  if (!wish.watches) return end_watch(watch);
  const std::uint64_t first = std::max<std::uint64_t>(watch.mailbox().first(), 1);
  const std::uint64_t after =
      std::max({chat::acknowledged_by_any(watch.mailbox()), watch.missed().handled(), first - 1});
  // Mostly all is acknowledged by now: then no row of the inbox is read.
  if (wish.is_off() || watch.mailbox().head() <= after) return pass_over(watch);
  Turn turn(context, *user, wish, watch, draft);
  turn.work_off(scan_missed(*user, after, kRowsOfALook, view), after);
  watch.set_timer(turn.next());
  watch.set(turn.next() ? state::Mailbox::ARMED : state::Mailbox::IDLE);
  watch.save();
}

}  // namespace holdfast::services
