#include "tools/holdfast-chaos/correspondence.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/hash.h"
#include "clients/cpp/await.h"
#include "tools/holdfast-chaos/mail_reading.h"
#include "tools/holdfast-chaos/wait.h"
#include "tools/holdfast-load/body.h"

namespace holdfast::chaos {
namespace {

using boost::asio::use_awaitable;
using std::chrono::milliseconds;

constexpr std::uint32_t kAuthors = 2;
constexpr std::uint64_t kEachTalkMs = 1'500;  // between two of its letters
constexpr std::uint64_t kDeletedOneOf = 8, kDeletedWithinMs = 8'000;
constexpr milliseconds kArriveMax{20'000}, kAnswerMax{10'000}, kPrepareMax{60'000};

client::ClientOptions options_for(const load::Target& target, const std::string& token, std::uint64_t position) {
  client::ClientOptions all;
  all.endpoints = target.endpoints;
  all.trust = target.trust;
  all.credentials = client::ResumeWith{token, position};
  all.client_name = "holdfast-chaos";
  return all;
}

}  // namespace

/// One that writes.
class Correspondence::Author final : public client::ClientEvents {
 public:
  Author(client::ClientRuntime& runtime, const load::Target& target, const std::string& token)
      : client(runtime, options(target, token), *this) {
    client.start();
  }

 private:
  static client::ClientOptions options(const load::Target& target, const std::string& token) {
    auto all = options_for(target, token, 0);
    all.outbox_messages_max = 1'000'000;  // letters are written also while all nodes are away
    all.requests_max = 100'000;
    return all;
  }

 public:
  client::Client client;  // last: it may call us from its destructor
};

/// A reader's connection, for as long as it stays.
class Correspondence::Device final : public client::ClientEvents {
 public:
  Device(Correspondence& all, std::uint32_t reader)
      : all_(all),
        reader_(reader),
        client(all.runtime_, options_for(all.settings_.target, all.reader_users_[reader].token, all.positions_[reader]),
               *this) {
    client.start();
  }

  void on_session_ended(const client::Failure& failure) override {
    all_.history_.strange.push_back(all_.history_.readers[reader_].name + " lost its session: " + failure.str());
  }
  void on_change(const v1::InboxItem& item) override {
    all_.positions_[reader_] = std::max(all_.positions_[reader_], item.position());
    const auto talk = std::ranges::find_if(
        all_.talks_, [&](const ConversationId& one) { return one.bytes() == item.conversation_id(); });
    if (talk == all_.talks_.end() || !item.change().has_posted()) return;
    const auto index = static_cast<std::uint32_t>(talk - all_.talks_.begin());
    const auto id = load::read_body(item.change().posted().body(), index, kLetterBytes);
    if (!id || *id >= all_.history_.letters.size()) return;  // deleted by now, or of an earlier run
    Letter& letter = all_.history_.letters[*id];
    if (letter.times_shown++ == 0) letter.shown = all_.settings_.now();
    shown_.push_back(*id);
  }

  /// What was shown counts as read, from the answer on.
  void acknowledge() {
    acknowledged = false;
    v1::ClientFrame frame;
    frame.mutable_ack_inbox()->set_position(all_.positions_[reader_]);
    client.request(
        std::move(frame),
        [this, about = std::exchange(shown_, {})](const client::Reply& reply) {
          acknowledged = true;
          if (!reply.ok()) return;
          for (const std::uint64_t id : about) {
            Letter& letter = all_.history_.letters[id];
            if (letter.acknowledged < 0) letter.acknowledged = all_.settings_.now();
          }
        },
        kAnswerMax);
  }
  bool acknowledged = false;  ///< or refused: there was an answer

 private:
  Correspondence& all_;
  const std::uint32_t reader_;
  std::vector<std::uint64_t> shown_;

 public:
  client::Client client;  // last: it may call us from its destructor
};

Correspondence::Correspondence(client::ClientRuntime& runtime, CorrespondenceSettings settings, MailHistory& history)
    : runtime_(runtime),
      settings_(std::move(settings)),
      history_(history),
      random_(settings_.seed),
      tasks_(runtime.executor()) {}

Correspondence::~Correspondence() = default;

Correspondence::Author& Correspondence::author_of(std::uint32_t talk) { return *authors_[talk % kAuthors]; }

// ------------------------------------------------------------------------------------------------ before

Awaitable<Status> Correspondence::prepare() {
  std::vector<std::string> authors, readers, addresses;
  for (std::uint32_t i = 0; i < kAuthors; ++i) authors.push_back("chaos-" + settings_.run + "-a" + std::to_string(i));
  for (std::uint32_t i = 0; i < settings_.readers; ++i) {
    readers.push_back("chaos-" + settings_.run + "-r" + std::to_string(i));
    addresses.push_back(readers.back() + "@inbox.test");
    history_.readers.push_back({"reader" + std::to_string(i), addresses.back(), i % 2 == 0});
    for (std::uint32_t author = 0; author < kAuthors; ++author)
      history_.talks.push_back({i, i % 3 == 2 && author == 1});
  }
  auto made = co_await load::provision(runtime_, settings_.target, std::move(authors));
  if (!made) co_return made.error();
  author_users_ = std::move(*made);
  made = co_await load::provision(runtime_, settings_.target, std::move(readers), std::move(addresses));
  if (!made) co_return made.error();
  reader_users_ = std::move(*made);
  positions_.resize(reader_users_.size());
  talks_.resize(history_.talks.size());
  for (const auto& user : author_users_)
    authors_.push_back(std::make_unique<Author>(runtime_, settings_.target, user.token));
  Status status = Ok{};
  for (std::uint32_t talk = 0; talk < talks_.size() && status; ++talk) {
    status = co_await open_talk(talk);
    if (status && history_.talks[talk].muted) status = co_await mute(talk);
  }
  co_return status;
}

Awaitable<Status> Correspondence::open_talk(std::uint32_t talk) {
  auto frame = client::ask::open_direct(reader_users_[history_.talks[talk].reader].user);
  const auto reply = co_await client::asking(author_of(talk).client, std::move(frame));
  // We are inside a callback of the client.
  co_await boost::asio::post(runtime_.executor(), use_awaitable);
  if (!reply.ok()) co_return Error{Errc::io, "a talk with a reader did not open: " + reply.failure->str()};
  talks_[talk] = ConversationId::from_bytes(reply.frame.conversation().conversation_id()).value_or(ConversationId());
  co_return Ok{};
}

/// By its reader, who may not have heard of it yet.
Awaitable<Status> Correspondence::mute(std::uint32_t talk) {
  Device device(*this, history_.talks[talk].reader);
  std::string trouble = "no answer";
  for (const SteadyTime until = steady_now() + kPrepareMax; steady_now() < until;) {
    auto frame = client::ask::set_conversation(talks_[talk], true, false);
    const auto reply = co_await client::asking(device.client, std::move(frame));
    co_await boost::asio::post(runtime_.executor(), use_awaitable);
    if (reply.ok()) co_return Ok{};
    trouble = reply.failure->str();
    co_await rest(20, 50);
  }
  co_return Error{Errc::io, "a talk with a reader can't be muted: " + trouble};
}

// ------------------------------------------------------------------------------------------------ meanwhile

void Correspondence::begin() {
  tasks_.spawn("letters", write());
  for (std::uint32_t i = 0; i < history_.readers.size(); ++i)
    if (!history_.readers[i].stays_away) tasks_.spawn("reader", come_and_go(i));
}

Awaitable<void> Correspondence::end() {
  ending_ = true;
  co_await tasks_.join();
  std::function<bool()> answered = [this] { return all_answered(); };
  co_await wait_for(runtime_.executor(), std::move(answered), kPrepareMax);
}

void Correspondence::close() {
  for (auto& author : authors_) author->client.close();
}

Awaitable<void> Correspondence::rest(std::uint64_t from_ms, std::uint64_t to_ms) {
  std::function<bool()> over = [this] { return ending_; };
  co_await wait_for(runtime_.executor(), std::move(over), milliseconds(from_ms + random_.below(to_ms - from_ms + 1)));
}

Awaitable<void> Correspondence::write() {
  const std::uint64_t between_ms = kEachTalkMs / talks_.size();
  for (std::uint32_t talk = 0; !ending_; talk = (talk + 1) % static_cast<std::uint32_t>(talks_.size())) {
    write_one(talk);
    delete_what_is_due();
    co_await rest(between_ms / 2, between_ms * 3 / 2);
  }
}

void Correspondence::write_one(std::uint32_t talk) {
  const std::uint64_t id = history_.letters.size();
  history_.letters.push_back({talk});
  const auto taken = author_of(talk).client.send(talks_[talk], load::make_body(talk, id, kLetterBytes),
                                                 [this, id](const client::SendResult& sent) { on_sent(id, sent); });
  if (!taken) ++answered_;
}

void Correspondence::on_sent(std::uint64_t letter, const client::SendResult& result) {
  ++answered_;
  if (!result.ok()) return;
  history_.letters[letter].acked = settings_.now();
  history_.letters[letter].number = result.number;
  if (random_.below(kDeletedOneOf) == 0)
    deletions_.push_back(
        {letter, settings_.now() + static_cast<std::int64_t>(random_.below(kDeletedWithinMs)) * 1'000});
}

void Correspondence::delete_what_is_due() {
  for (const Deletion& one : deletions_) {
    Letter& letter = history_.letters[one.letter];
    if (one.when > settings_.now()) continue;
    letter.delete_asked = settings_.now();
    author_of(letter.talk)
        .client.request(client::ask::remove(talks_[letter.talk], letter.number),
                        [this, id = one.letter](const client::Reply& reply) {
                          if (reply.ok()) history_.letters[id].deleted = settings_.now();
                        });
  }
  std::erase_if(deletions_, [this](const Deletion& one) { return history_.letters[one.letter].delete_asked >= 0; });
}

Awaitable<void> Correspondence::come_and_go(std::uint32_t reader) {
  while (!ending_) {
    co_await rest(1'000, 9'000);
    if (ending_) break;
    Device device(*this, reader);
    std::function<bool()> there = [&] { return ending_ || device.client.online(); };
    co_await wait_for(runtime_.executor(), std::move(there), kArriveMax);
    co_await rest(200, 3'000);
    device.acknowledge();
    std::function<bool()> answered = [&] { return device.acknowledged; };
    co_await wait_for(runtime_.executor(), std::move(answered), kAnswerMax);
  }
}

// ------------------------------------------------------------------------------------------------ the end

bool Correspondence::all_shown() const {
  return std::ranges::all_of(history_.letters, [](const Letter& letter) {
    return letter.shown >= 0 || letter.acked < 0 || letter.delete_asked >= 0;
  });
}

Awaitable<void> Correspondence::come_back() {
  std::vector<std::unique_ptr<Device>> devices;
  for (std::uint32_t i = 0; i < history_.readers.size(); ++i) devices.push_back(std::make_unique<Device>(*this, i));
  std::function<bool()> shown = [this] { return all_shown(); };
  co_await wait_for(runtime_.executor(), std::move(shown), std::chrono::seconds(30));
}

}  // namespace holdfast::chaos
