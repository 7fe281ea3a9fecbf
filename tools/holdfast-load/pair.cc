#include "tools/holdfast-load/pair.h"

#include <utility>

#include "net/tls_sessions.h"
#include "tools/holdfast-load/body.h"

namespace holdfast::load {

namespace {
/// With --rate messages are planned also while the server is away; they wait here.
constexpr std::size_t kOutboxMax = 1'000'000;

client::ClientOptions client_options(const Options& options, const ProvisionedUser& user) {
  client::ClientOptions all;
  all.endpoints = options.endpoints;
  all.trust = options.trust;
  all.credentials = client::ResumeWith{user.token, 0};
  all.client_name = "holdfast-load";
  all.outbox_messages_max = kOutboxMax;
  all.sends_ahead_max = options.ahead;
  all.tls_tickets = std::make_shared<ClientTickets>(1);
  return all;
}
}  // namespace

/// One of the two, with its connection.
class Pair::End final : public client::ClientEvents {
 public:
  End(client::ClientRuntime& runtime, Pair& pair, Checker::Place place, const ProvisionedUser& user)
      : pair_(pair), place_(place), client(runtime, client_options(pair.options_, user), *this) {}

  void on_change(const v1::InboxItem& item) override { pair_.on_change(place_, item.change()); }
  void on_history_gap(const v1::HistoryGap&) override { pair_.figures_.error("the inbox lost rows (HISTORY_GAP)"); }
  void on_history_reset(const v1::HistoryReset&) override {
    pair_.figures_.error("the server was restored from a backup (HISTORY_RESET)");
  }
  void on_session_ended(const client::Failure& failure) override {
    pair_.figures_.error("a session ended: " + failure.str());
  }

 private:
  Pair& pair_;
  const Checker::Place place_;

 public:
  client::Client client;  // last: it may call us from its destructor
};

Pair::Pair(client::ClientRuntime& runtime, const Options& options, Figures& figures, std::uint32_t index,
           ProvisionedUser sender, ProvisionedUser receiver)
    : options_(options),
      figures_(figures),
      index_(index),
      sender_user_(std::move(sender)),
      receiver_user_(std::move(receiver)),
      sender_(std::make_unique<End>(runtime, *this, Checker::Place::sender, sender_user_)),
      receiver_(std::make_unique<End>(runtime, *this, Checker::Place::receiver, receiver_user_)) {}

Pair::~Pair() = default;

void Pair::connect() {
  sender_->client.start();
  receiver_->client.start();
}

bool Pair::online() const { return sender_->client.online() && receiver_->client.online(); }

void Pair::open() {
  sender_->client.request(client::ask::open_direct(receiver_user_.user), [this](const client::Reply& reply) {
    if (!reply.ok()) return figures_.error("open: " + reply.failure->str());
    conversation_ = ConversationId::from_bytes(reply.frame.conversation().conversation_id()).value_or(ConversationId());
  });
}

void Pair::connected_for_good() {
  resumes_at_start_ = 0;
  resumes_at_start_ = resumed();
}

std::uint64_t Pair::resumed() const {
  return sender_->client.resumes() + receiver_->client.resumes() - resumes_at_start_;
}

std::uint64_t Pair::logins() const { return sender_->client.logins() + receiver_->client.logins(); }

const client::Client& Pair::sender_client() const { return sender_->client; }
const client::Client& Pair::receiver_client() const { return receiver_->client; }

void Pair::send(SteadyTime planned) {
  const std::uint64_t sequence = checker_.sent(planned);
  auto taken = sender_->client.send(conversation_, make_body(index_, sequence, options_.body_bytes),
                                    [this, sequence](const client::SendResult& result) { on_sent(sequence, result); });
  ++figures_.sent;
  if (!taken) figures_.error("send: " + taken.error().message);
}

void Pair::keep_sending() {
  sending_ = true;
  for (std::uint32_t i = 0; i < options_.ahead; ++i) send(steady_now());
}

void Pair::on_sent(std::uint64_t sequence, const client::SendResult& result) {
  if (!result.ok()) {
    if (result.failure->cause != client::Failure::Cause::closed) figures_.error("send: " + result.failure->str());
    return;
  }
  const SteadyTime now = steady_now();
  ++figures_.acked;
  figures_.put_off += result.put_off;
  if (result.put_off > 0) checker_.put_off(sequence);
  if (const auto planned = checker_.acknowledged(sequence, result.number)) figures_.ack.add(now - *planned);
  if (sending_) send(now);
}

std::optional<std::uint64_t> Pair::sequence_of(const v1::Change& change) {
  if (!change.has_posted()) return std::nullopt;
  const auto sequence = read_body(change.posted().body(), index_, options_.body_bytes);
  if (!sequence) figures_.error("a body is not what was sent");
  return sequence;
}

void Pair::on_change(Checker::Place place, const v1::Change& change) {
  const auto planned = checker_.seen(place, change.number(), sequence_of(change));
  if (place != Checker::Place::receiver || !planned) return;
  ++figures_.delivered;
  figures_.delivery.add(steady_now() - *planned);
}

void Pair::seen_in_history(const v1::Change& change) {
  checker_.seen(Checker::Place::history, change.number(), sequence_of(change));
}

void Pair::close() {
  sender_->client.close();
  receiver_->client.close();
}

}  // namespace holdfast::load
