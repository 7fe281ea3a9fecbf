#include "tests/support/sim_client.h"

#include <algorithm>

#include "base/check.h"
#include "base/uuid.h"

namespace holdfast {
namespace {

bool is_to_be_asked_again(const v1::ServerFrame& frame) {
  if (!frame.has_error()) return false;
  switch (frame.error().code()) {
    case v1::RETRY:
    case v1::RATE_LIMITED:
    case v1::STORAGE_FULL:
    case v1::UNKNOWN_OUTCOME: return true;
    default: return false;
  }
}

}  // namespace

SimClient::SimClient(OneThreadNode& node, History& history, Options options)
    : node_(&node),
      door_(options.door),
      history_(history),
      options_(std::move(options)),
      random_(node.random().next()) {
  password_ = options_.password;
}

SimClient::~SimClient() = default;

// ------------------------------------------------------------------------------------------------ being connected

void SimClient::pump() {
  if (away_ || ended_ || !node_->is_running()) return;
  if (phase_ == Phase::away) return connect();
  if (phase_ != Phase::online) return;
  for (auto& [number, request] : requests_)
    if (!request.sent && !request.answer) send(number);
  if (next_serial_ != 0 && !confirming_) {
    confirming_ = true;
    v1::ClientFrame frame;
    frame.mutable_confirm_token()->set_serial(next_serial_);
    run(std::move(frame), [this](const chat::RequestOutcome& outcome) {
      confirming_ = false;
      if (is_to_be_asked_again(outcome.frame)) return;
      if (outcome.frame.error().code() == v1::SESSION_ENDED && logs_out()) return;  // which came before it
      if (outcome.frame.has_error())
        history_.complaints.push_back("token: " + options_.username +
                                      " may not confirm what it was offered: " + outcome.frame.error().message());
      token_ = next_token_;
      next_serial_ = 0;
      ++tokens_replaced_;
    });
  }
}

bool SimClient::logs_out() const {
  return std::ranges::any_of(requests_,
                             [](const auto& one) { return one.second.sent && one.second.frame.has_log_out(); });
}

void SimClient::connect() {
  phase_ = Phase::connecting;
  connection_life_ = std::make_shared<int>(0);
  connection_ = node_->connect(door_, [this](const chat::Delivery& delivery) { on_delivery(delivery); });
  attached_ = confirming_ = false;
  credit_ = 0;
  for (auto& [number, request] : requests_) request.sent = false;
  if (login_.operation_case() == v1::ClientFrame::OPERATION_NOT_SET && token_.empty()) {
    login_.set_idempotency_id(make_uuid7(node_->now(), random_).str());
    if (options_.registers && logins_ == 0 && user_.is_zero()) {
      login_.mutable_register_()->set_username(options_.username);
      login_.mutable_register_()->set_password(password_);
      login_.mutable_register_()->set_device_name(options_.device);
    } else {
      login_.mutable_log_in()->set_username(options_.username);
      login_.mutable_log_in()->set_password(password_);
      login_.mutable_log_in()->set_device_name(options_.device);
    }
  }
  v1::ClientFrame frame = login_;
  if (!token_.empty()) {
    frame.Clear();
    // The newest token that is stored must do, whatever became of its confirmation.
    frame.mutable_resume()->set_token(next_serial_ != 0 ? next_token_ : token_);
    frame.mutable_resume()->set_cursor(cursor_);
  }
  run(std::move(frame), [this](const chat::RequestOutcome& outcome) { on_login(outcome); });
}

void SimClient::on_login(const chat::RequestOutcome& outcome) {
  ++heard_;
  if (!outcome.logged_in) {
    if (is_to_be_asked_again(outcome.frame)) {
      phase_ = Phase::away;
      return node_->disconnect(connection_);
    }
    return on_ended(outcome.frame.error().code());
  }
  const chat::LoggedIn& in = *outcome.logged_in;
  phase_ = Phase::online;
  if (!outcome.frame.session().token().empty()) {
    token_ = outcome.frame.session().token();
    login_.Clear();
    next_serial_ = 0;
    ++logins_;
    user_ = in.user;
    session_ = in.session;
    cursor_ = in.cursor;
    device_ = history_.devices.size();
    history_.devices.push_back({options_.username + "/" + options_.device, user_, cursor_, true, {}});
  } else if (in.cursor != cursor_) {
    history_.complaints.push_back("H5: " + options_.username + " resumed at another cursor than it has");
  }
  raw_position_ = cursor_;
  attached_ = true;
  node_->attachments(door_).attach({user_, session_, connection_, cursor_, options_.credit_bytes});
}

void SimClient::lost_connection() {
  for (const auto& [number, request] : requests_)
    if (request.sent && !request.answer && request.frame.has_post()) history_.posts[request.post].resent = true;
  phase_ = Phase::away;
  connection_life_.reset();
  attached_ = confirming_ = false;
}

void SimClient::move_to(OneThreadNode& node, std::uint16_t door) {
  HF_CHECK(phase_ == Phase::away, "a client leaves before it moves");
  node_ = &node;
  door_ = door;
}

void SimClient::reattach() {
  if (!attached_) return;
  auto& attachments = node_->attachments(door_);
  attachments.detach(user_, connection_);
  node_->disconnect(connection_);
  connection_ = node_->connect(door_, [this](const chat::Delivery& delivery) { on_delivery(delivery); });
  credit_ = 0;
  attachments.attach({user_, session_, connection_, raw_position_, options_.credit_bytes});
}

void SimClient::leave() {
  away_ = true;
  if (phase_ == Phase::away) return;
  if (attached_) node_->attachments(door_).detach(user_, connection_);
  node_->disconnect(connection_);
  lost_connection();
}

void SimClient::on_ended(v1::ErrorCode code) {
  ended_ = code;
  if (!history_.devices.empty() && !user_.is_zero()) device().live = false;
  leave();
  away_ = false;
}

void SimClient::log_in_again(std::string password) {
  password_ = std::move(password);
  token_.clear();
  login_.Clear();
  ended_.reset();
}

// ------------------------------------------------------------------------------------------------ asking

void SimClient::run(v1::ClientFrame frame, std::function<void(const chat::RequestOutcome&)> then) {
  chat::Caller caller;
  if (phase_ == Phase::online) caller = {user_, session_, options_.username, false, {}};
  const std::weak_ptr<int> life = connection_life_;
  chat::run_request(
      node_->backend(door_), std::move(caller), std::move(frame),
      [life, then = std::move(then)](const chat::RequestOutcome& outcome) {
        if (!life.expired()) then(outcome);
      },
      [this, life](const v1::ServerFrame& push) {
        if (!life.expired()) on_push(push);
      });
}

std::size_t SimClient::ask(v1::ClientFrame frame) {
  const std::string id = make_uuid7(node_->now(), random_).str();
  Request& request = requests_[next_request_];
  if (frame.has_post()) {
    frame.mutable_post()->set_client_message_id(id);
    request.post = history_.posts.size();
    history_.posts.push_back(
        {*ConversationId::from_bytes(frame.post().conversation_id()), user_, id, {}, false, false, options_.device});
  } else {
    if (frame.has_get_history())
      request.least = known_[*ConversationId::from_bytes(frame.get_history().conversation_id())];
    frame.set_idempotency_id(id);
    note_asked(history_, frame);
  }
  request.frame = std::move(frame);
  return next_request_++;
}

void SimClient::send(std::size_t number) {
  Request& request = requests_.at(number);
  request.sent = true;
  run(request.frame, [this, number](const chat::RequestOutcome& outcome) { on_answer(number, outcome.frame); });
}

void SimClient::on_answer(std::size_t number, const v1::ServerFrame& frame) {
  ++heard_;
  Request& request = requests_.at(number);
  if (request.answer) return;
  const bool is_post = request.frame.has_post();
  if (is_to_be_asked_again(frame)) {
    request.sent = false;
    if (is_post) history_.posts[request.post].put_off = true;
    return;
  }
  request.answer = frame;
  if (frame.has_history()) check_history(request, frame.history());
  if (is_post && frame.has_change()) {
    std::uint64_t& known = known_[history_.posts[request.post].conversation];
    known = std::max(known, frame.change().number());
  }
  if (is_post) history_.posts[request.post].number = frame.has_error() ? 0 : frame.change().number();
}

/// Whoever leads, it has everything that was told to anybody: to us, before we asked.
void SimClient::check_history(const Request& request, const v1::HistoryReply& reply) {
  if (reply.last_number() >= request.least) return;
  history_.complaints.push_back("H9: " + options_.username + " knows of change " + std::to_string(request.least) +
                                ", and a history ends at " + std::to_string(reply.last_number()));
}

const v1::ServerFrame* SimClient::answer(std::size_t number) const {
  const auto at = requests_.find(number);
  return at != requests_.end() && at->second.answer ? &*at->second.answer : nullptr;
}

std::size_t SimClient::open_requests() const {
  std::size_t open = 0;
  for (const auto& [number, request] : requests_) open += request.answer ? 0 : 1;
  return open;
}

bool SimClient::is_idle() const {
  if (ended_ || away_) return true;
  return phase_ == Phase::online && next_serial_ == 0 && open_requests() == 0;
}

// ------------------------------------------------------------------------------------------------ hearing

void SimClient::on_push(const v1::ServerFrame& frame) {
  if (!frame.has_token()) return;
  next_token_ = frame.token().token();
  next_serial_ = frame.token().serial();
}

void SimClient::on_delivery(const chat::Delivery& delivery) {
  if (const auto* end = std::get_if<chat::EndConnection>(&delivery)) return on_ended(end->code);
  v1::ServerFrame frame;
  if (const auto* soft = std::get_if<chat::DeliverFrame>(&delivery)) {
    HF_CHECK(frame.ParseFromString(soft->frame), "a frame parses");
    ++soft_frames_;
    return;
  }
  const auto& inbox = std::get<chat::DeliverInbox>(delivery);
  HF_CHECK(frame.ParseFromString(inbox.frame) && frame.has_inbox(), "an inbox frame parses");
  if (!attached_) return;
  ++inbox_frames_;
  ++heard_;
  on_inbox(frame.inbox());
  if (raw_position_ != inbox.position) history_.complaints.push_back("H5: a frame names another last position");
  credit_ += inbox.frame.size();
  give_credit();
}

void SimClient::on_inbox(const v1::InboxPush& push) {
  for (const v1::InboxItem& item : push.items()) {
    if (item.position() <= raw_position_)
      history_.complaints.push_back("H2: " + options_.username + " got position " + std::to_string(item.position()) +
                                    " on a connection that has " + std::to_string(raw_position_));
    raw_position_ = item.position();
    if (item.position() <= cursor_) continue;
    History::Shown shown;
    shown.position = item.position();
    shown.conversation = *ConversationId::from_bytes(item.conversation_id());
    if (item.has_change()) {
      shown.number = item.change().number();
      if (!item.change().has_hidden()) shown.content = item.change().SerializeAsString();
    } else {
      shown.head = item.has_head();
      shown.number = item.has_head() ? item.head() : item.reference();
    }
    std::uint64_t& known = known_[shown.conversation];
    known = std::max(known, shown.number);
    device().shown.push_back(std::move(shown));
    cursor_ = item.position();
  }
  if (random_.below(3) != 0 || phase_ != Phase::online) return;
  v1::ClientFrame ack;
  ack.mutable_ack_inbox()->set_position(cursor_);
  run(std::move(ack), [](const chat::RequestOutcome&) {});
}

void SimClient::hold_reading(bool hold) {
  hold_reading_ = hold;
  if (!hold) give_credit();
}

/// In lumps, as a gateway does.
void SimClient::give_credit() {
  if (hold_reading_ || !attached_ || credit_ < options_.credit_bytes / 4) return;
  node_->attachments(door_).give_credit(user_, connection_, std::exchange(credit_, 0));
}

}  // namespace holdfast
