#include "server/services/missed_assembly.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <set>

#include "server/chat/ask_all.h"
#include "server/chat/mail_key.h"
#include "server/chat/validation.h"
#include "server/services/reply_token.h"
#include "server/services/unsubscribe.h"

namespace holdfast::services {
namespace {

constexpr std::size_t kShownMax = 30, kTextBytesMax = 4'000, kShownBytesMax = 32 << 10;
constexpr std::uint32_t kPageRows = 100;
constexpr int kPagesMax = 10, kPagesOfAHeadMax = 3;

/// The posts that the mail is about.
struct Posts {
  std::vector<v1::Change> shown;  ///< oldest first
  std::size_t bytes = 0;
  std::uint64_t count = 0;

  void add(v1::Change&& change) {
    ++count;
    const std::size_t size = std::min(change.posted().body().size(), kTextBytesMax);
    if (count > shown.size() + 1 || shown.size() >= kShownMax || bytes + size > kShownBytesMax) return;
    bytes += size;
    shown.push_back(std::move(change));
  }
};

enum class Found { posts, nothing, later };
struct Gathered {
  Found found = Found::later;
  Posts posts;
};

Addition later() {
  Addition addition;
  addition.later = true;
  return addition;
}

Addition unwanted() {
  Addition addition;
  addition.unwanted = true;
  return addition;
}

bool is_told(const v1::Change& change, const UserId& user, const command::MissedState& state) {
  if (!change.has_posted() || change.posted().deleted() || change.author() == user.bytes()) return false;
  return std::find(state.blocked().begin(), state.blocked().end(), change.author()) == state.blocked().end();
}

command::Command page_of(const chat::BeginIntent& intent, const command::MissedState& state, std::uint64_t from,
                         const chat::Limits& limits) {
  command::Command page;
  page.set_user(intent.user.str());
  command::HistoryFor& history = *page.mutable_history_for();
  history.mutable_request()->set_conversation_id(intent.intent.mail().missed().conversation());
  history.mutable_request()->set_from(from);
  history.mutable_request()->set_limit(std::min(kPageRows, static_cast<std::uint32_t>(limits.history_page_max)));
  *history.mutable_hidden() = state.hidden();
  return page;
}

bool will_never_answer(v1::ErrorCode code) { return code == v1::NOT_FOUND || code == v1::PERMISSION_DENIED; }

/// Page by page. What is behind the last page that is read counts by Change.posts, which counts deleted ones too.
Task<Gathered> gather(chat::Backend& backend, chat::BeginIntent intent, command::MissedState state) {
  Gathered gathered;
  const state::Mail::Missed about = intent.intent.mail().missed();
  const PartitionId partition = partition_of(*ConversationId::from_bytes(about.conversation()), backend.partitions());
  std::uint64_t from = state.first_number();
  std::uint64_t posts_so_far = 0;
  bool more = true;
  const int pages_max = about.head() ? kPagesOfAHeadMax : kPagesMax;
  for (int pages = 0; more && pages < pages_max; ++pages) {
    command::Command page = page_of(intent, state, from, backend.limits());
    command::Answer answer = co_await backend.asking(partition, std::move(page));
    if (answer.frame().has_error()) {
      gathered.found = will_never_answer(answer.frame().error().code()) ? Found::nothing : Found::later;
      co_return gathered;
    }
    v1::HistoryReply& history = *answer.mutable_frame()->mutable_history();
    more = history.more() && history.changes_size() > 0;
    for (v1::Change& change : *history.mutable_changes()) {
      from = change.number() + 1;
      posts_so_far = change.posts();
      if (change.number() > about.last_number()) break;
      if (is_told(change, intent.user, state)) gathered.posts.add(std::move(change));
    }
    more = more && from <= about.last_number();
  }
  if (more && about.last_posts() > posts_so_far) gathered.posts.count += about.last_posts() - posts_so_far;
  gathered.found = gathered.posts.count == 0 ? Found::nothing : Found::posts;
  co_return gathered;
}

using Names = std::map<std::string, std::string>;  ///< by the bytes of their ids

/// Of those who have accounts. What could not be asked now has no name either.
Task<Names> names_of(chat::Backend& backend, std::set<std::string> users) {
  std::vector<chat::Question> questions;
  for (const std::string& bytes : users) {
    const auto user = UserId::from_bytes(bytes);
    if (!user) continue;
    chat::Question& question = questions.emplace_back();
    question.partition = partition_of(*user, backend.partitions());
    question.command.mutable_find_user()->set_user(bytes);
  }
  auto asking = chat::asking_all(backend, std::move(questions));
  const std::vector<command::Answer> answers = co_await asking;
  Names names;
  for (const command::Answer& answer : answers)
    if (answer.frame().has_user()) names[answer.frame().user().user_id()] = answer.frame().user().username();
  co_return names;
}

std::string name_in(const Names& names, const std::string& user) {
  const auto found = names.find(user);
  return found == names.end() ? "…" : found->second;
}

std::string utc(std::int64_t time_ms) {
  const std::time_t seconds = static_cast<std::time_t>(time_ms / 1000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02d-%02d %02d:%02d UTC", parts.tm_year + 1900, parts.tm_mon + 1,
                parts.tm_mday, parts.tm_hour, parts.tm_min);
  return text;
}

bool is_text(const v1::Posted& posted) {
  const std::string& type = posted.content_type();
  return (type.empty() || type.starts_with("text/")) && chat::is_utf8(posted.body());
}

/// At the end of a character.
std::string cut(std::string text) {
  if (text.size() <= kTextBytesMax) return text;
  std::size_t end = kTextBytesMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  text.resize(end);
  return text + " …";
}

bool is_type_name(const std::string& type) {
  return !type.empty() && std::all_of(type.begin(), type.end(), [](unsigned char c) { return c > ' ' && c < 0x7f; });
}

std::string text_of(const v1::Posted& posted) {
  if (is_text(posted)) return cut(posted.body());
  return "[" + (is_type_name(posted.content_type()) ? posted.content_type() : "…") + "]";
}

void show(const Posts& posts, const Names& names, mail::Values& values) {
  auto& messages = values.lists["messages"];
  for (const v1::Change& change : posts.shown)
    messages.push_back({{"author", name_in(names, change.author())},
                        {"when", utc(change.time_ms())},
                        {"text", text_of(change.posted())}});
  const std::uint64_t more = posts.count - posts.shown.size();
  if (more > 0) values.single["more"] = std::to_string(more);
}

bool shows_text(const Posts& posts) {
  return std::any_of(posts.shown.begin(), posts.shown.end(), [](const auto& one) { return is_text(one.posted()); });
}

command::Command preparation(const chat::BeginIntent& intent, const std::string& secret) {
  command::Command prepare;
  prepare.set_user(intent.user.str());
  prepare.mutable_prepare_missed()->set_intent(intent.id.str());
  prepare.mutable_prepare_missed()->set_reply_hash(reply_hash(secret));
  return prepare;
}

Task<Addition> assemble(chat::Backend& backend, chat::BeginIntent intent, MissedMailOptions options) {
  const std::string secret = reply_secret(backend.mail_key(), intent.id);
  command::Command prepare = preparation(intent, secret);
  const PartitionId partition = partition_of(intent.user, backend.partitions());
  const command::Answer prepared = co_await backend.asking(partition, std::move(prepare));
  if (prepared.frame().has_error()) co_return later();
  const command::MissedState& state = prepared.missed_state();
  if (!state.wanted()) co_return unwanted();

  const Gathered gathered = co_await gather(backend, intent, state);
  if (gathered.found == Found::later) co_return later();
  if (gathered.found == Found::nothing) co_return unwanted();
  const Posts& posts = gathered.posts;
  const bool content = state.content() && shows_text(posts);
  std::set<std::string> users{state.peer()};
  if (content)
    for (const v1::Change& change : posts.shown) users.insert(change.author());
  const Names names = co_await names_of(backend, std::move(users));

  Addition addition;
  addition.template_name = content ? "missed_content" : "missed_notice";
  addition.values.single["user"] = state.username();
  addition.values.single["conversation"] = state.kind() == v1::DIRECT ? name_in(names, state.peer()) : state.title();
  addition.values.single["count"] = std::to_string(posts.count);
  addition.unsubscribe_url = unsubscribe_url(options.base_url, backend.mail_key(), intent.user);
  if (content) show(posts, names, addition.values);
  if (options.takes_answers) {
    addition.reply_to_local = "reply+" + format_reply_token(partition, secret);
    if (content) addition.values.single["can_answer"] = "yes";
  }
  co_return addition;
}

}  // namespace

Assemble assemble_missed(MissedMailOptions options) {
  return [options = std::move(options)](chat::Backend& backend, chat::BeginIntent intent) {
    return assemble(backend, std::move(intent), options);
  };
}

}  // namespace holdfast::services
