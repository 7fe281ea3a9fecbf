#include "tests/sim/app.h"

#include "base/check.h"

namespace holdfast::sim {

using client::ClientMachine;

namespace {

constexpr Millis kRequestMax{30'000};

}  // namespace

App::App(Agenda& agenda, AppConnection::Front& front, History& history, Dial dial, Options options)
    : agenda_(agenda),
      front_(front),
      history_(history),
      dial_(std::move(dial)),
      options_(std::move(options)),
      random_(agenda.random().next()) {
  start();
}

App::~App() = default;

// ------------------------------------------------------------------------------------------------ on and off

void App::start() {
  client::MachineOptions options;
  options.endpoints = options_.endpoints;
  options.device_name = "app";
  options.credentials = client::RegisterWith{options_.username, options_.password, ""};
  ++life_;
  started_at_ = stored_;
  machine_ = std::make_unique<ClientMachine>(std::move(options), *this, random_, &store_);
  machine_->start(agenda_.now());
  after();
}

/// Not before it has an account: who registers again finds the name taken.
void App::switch_off() {
  if (!machine_ || user_.is_zero()) return;
  machine_->leave(agenda_.now());
  carry_out(machine_->take_wish());
  machine_.reset();
  looks_at_ = SteadyTime::max();
  open_.clear();
  if (!options_.forgets_ids) return;
  auto saved = store_.load();
  if (!saved || !*saved) return;
  for (std::string& bytes : (*saved)->outbox) {
    v1::ClientFrame frame;
    HF_CHECK(frame.ParseFromString(bytes), "a stored post parses");
    frame.mutable_post()->clear_client_message_id();
    bytes = frame.SerializeAsString();
  }
  HF_CHECK(store_.save(**saved), "memory stores");
}

void App::switch_on() {
  if (!machine_ && !ended_) start();
}

void App::stall(Millis time) {
  stalled_until_ = agenda_.now() + time;
  for (const Wire* wire : {&link_, &next_})
    if (wire->connection) wire->connection->stall_until(stalled_until_);
}

void App::node_died(const SimNode& node, bool told) {
  for (const Wire* wire : {&link_, &next_})
    if (wire->connection && &wire->connection->node() == &node) wire->connection->node_died(told);
}

void App::reattach(const SimNode& node, std::uint16_t door, PartitionId partition) {
  for (const Wire* wire : {&link_, &next_})
    if (wire->connection && &wire->connection->node() == &node && wire->connection->door() == door)
      wire->connection->reattach(partition);
}

void App::ask_to_move(Millis delay) {
  if (link_.connection) link_.connection->ask_to_move(delay);
}

bool App::is_idle() const {
  if (!machine_ || ended_) return true;
  return machine_->online() && machine_->outbox_size() == 0 && open_.empty();
}

std::size_t App::open_requests() const { return open_.size() + (machine_ ? machine_->outbox_size() : 0); }

std::string App::describe() const {
  if (!machine_) return options_.username + " off";
  return options_.username + (machine_->online() ? " online" : " away") + " at " + machine_->endpoint().authority() +
         ", " + std::to_string(machine_->outbox_size()) + " to send, " + std::to_string(open_.size()) + " open";
}

// ------------------------------------------------------------------------------------------------ driving the machine

void App::after() {
  carry_out(machine_->take_wish());
  machine_->flush(agenda_.now());
  carry_out(machine_->take_wish());
  if (link_.connection) write(*link_.connection, std::exchange(machine_->output(), {}), false);
  if (next_.connection) write(*next_.connection, std::exchange(machine_->next_output(), {}), true);
  look_at(machine_->next_deadline());
}

void App::look_at(SteadyTime deadline) {
  if (deadline >= looks_at_) return;
  looks_at_ = deadline;
  const auto in = std::max(Micros(1), std::chrono::ceil<Micros>(deadline - agenda_.now()));
  agenda_.after(in, [this, deadline, life = life_] {
    if (!machine_ || life != life_ || looks_at_ != deadline) return;
    looks_at_ = SteadyTime::max();
    machine_->tick(agenda_.now());
    after();
  });
}

void App::carry_out(ClientMachine::Wish wish) {
  const auto drop = [](Wire& wire) {
    if (wire.connection) wire.connection->close();
    wire = {};
  };
  if (wish.switch_over) {
    if (link_.connection) link_.connection->write(std::exchange(machine_->output(), {}));
    drop(link_);
    link_ = std::exchange(next_, {});
  }
  if (wish.close) {
    drop(next_);
    drop(link_);
  }
  if (wish.close_next) drop(next_);
  if (wish.open) link_ = {connect(*wish.open, wish.time_max, false), FrameDecoder()};
  if (wish.open_next) next_ = {connect(*wish.open_next, wish.next_time_max, true), FrameDecoder()};
}

/// Null where nobody listens: that comes out after the time it takes.
std::shared_ptr<AppConnection> App::connect(const client::Endpoint& endpoint, Millis time_max, bool next) {
  SimNode* node = dial_(endpoint);
  HF_CHECK(node, "endpoints are those of nodes");
  const auto door = static_cast<std::uint16_t>(random_.below(options_.doors));
  const auto self = std::make_shared<std::weak_ptr<AppConnection>>();
  const auto here = [self](auto what) {
    if (const auto connection = self->lock()) what(*connection);
  };
  AppConnection::End end{
      .on_open =
          [this, here] {
            here([this](const AppConnection& from) {
              if (&from == next_.connection.get())
                machine_->next_open();
              else
                machine_->connection_open(agenda_.now());
              after();
            });
          },
      .on_bytes = [this,
                   here](std::string_view bytes) { here([&](const AppConnection& from) { on_bytes(from, bytes); }); },
      .on_lost = [this, here](std::string reason) { here([&](const AppConnection& from) { on_lost(from, reason); }); }};
  auto connection = std::make_shared<AppConnection>(agenda_, *node, door, front_,
                                                    "192.0.2." + options_.username.substr(3), std::move(end));
  *self = connection;
  connection->stall_until(stalled_until_);
  connection->open();
  // What was not answered in time is given up by the driver.
  agenda_.after(time_max, [this, weak = std::weak_ptr(connection), next, life = life_] {
    const auto late = weak.lock();
    if (!late || !machine_ || life != life_ || late->is_open()) return;
    if (late != (next ? next_ : link_).connection) return;
    late->close();
    on_lost(*late, "timed out");
  });
  return connection;
}

void App::on_bytes(const AppConnection& from, std::string_view bytes) {
  const auto wire_of = [&]() -> Wire* {
    if (&from == link_.connection.get()) return &link_;
    return &from == next_.connection.get() ? &next_ : nullptr;
  };
  for (Wire* wire = wire_of(); wire; wire = wire_of()) {  // which may be dropped, or become the other one
    const auto payload = wire->decoder.next(bytes);
    HF_CHECK(payload, "a gateway writes whole frames");
    if (!*payload) break;
    if (wire == &next_)
      machine_->next_receive(agenda_.now(), **payload);
    else
      machine_->receive(agenda_.now(), **payload);
    carry_out(machine_->take_wish());
  }
  after();
}

void App::on_lost(const AppConnection& from, std::string reason) {
  if (&from == next_.connection.get()) {
    next_ = {};
    machine_->next_lost(agenda_.now());
  } else if (&from == link_.connection.get()) {
    link_ = {};
    machine_->connection_lost(agenda_.now(), std::move(reason));
  }
  after();
}

void App::write(AppConnection& to, std::string bytes, bool next) {
  if (!next) note_written(bytes);
  to.write(std::move(bytes));
}

// ------------------------------------------------------------------------------------------------ asking

/// A post counts from its first try on; the same id again is the same post.
void App::note_written(std::string_view bytes) {
  FrameDecoder decoder;
  while (!bytes.empty()) {
    const auto payload = decoder.next(bytes);
    HF_CHECK(payload && *payload, "the machine writes whole frames");
    v1::ClientFrame frame;
    HF_CHECK(frame.ParseFromString(std::string(**payload)), "what is written parses");
    if (!frame.has_post()) continue;
    const std::string& id = frame.post().client_message_id();
    const auto [known, fresh] = ids_.try_emplace(frame.post().body(), id);
    if (!fresh && known->second != id) complain("H3", "sends a message under a second id");
    if (const auto [at, is_new] = posts_.try_emplace(id, history_.posts.size()); !is_new)
      history_.posts[at->second].resent = true;
    else
      history_.posts.push_back(
          {*ConversationId::from_bytes(frame.post().conversation_id()), user_, id, {}, false, false, "app"});
  }
}

void App::post(const ConversationId& conversation, std::string body) {
  if (!machine_ || ended_) return;
  v1::ClientFrame frame;
  frame.mutable_post()->set_conversation_id(conversation.str());
  frame.mutable_post()->set_body(std::move(body) + " " + options_.username + " " + std::to_string(next_post_++));
  const Status taken = machine_->send(agenda_.now(), frame, [this](const client::SendResult& result) { sent(result); });
  HF_CHECK(taken, "the outbox has room");
  after();
}

void App::sent(const client::SendResult& result) {
  const auto at = posts_.find(result.client_message_id.str());
  if (at == posts_.end()) return;
  History::Post& post = history_.posts[at->second];
  if (result.ok()) {
    post.number = result.number;
    std::uint64_t& known = known_[post.conversation];
    known = std::max(known, result.number);
  } else if (result.failure->cause == client::Failure::Cause::refused) {
    post.number = 0;
  }
}

void App::ask(v1::ClientFrame frame) {
  if (!machine_ || ended_) return;
  std::optional<ConversationId> history_of;
  if (frame.has_get_history()) history_of = ConversationId::from_bytes(frame.get_history().conversation_id());
  const std::uint64_t least = history_of ? known_[*history_of] : 0;
  note_asked(history_, frame);
  const std::size_t number = next_request_++;
  open_.insert(number);
  const auto done = [this, number, least](const client::Reply& reply) {
    open_.erase(number);
    if (!reply.ok() || !reply.frame.has_history() || reply.frame.history().last_number() >= least) return;
    complain("H9", "knows of change " + std::to_string(least) + ", and a history ends at " +
                       std::to_string(reply.frame.history().last_number()));
  };
  machine_->request(agenda_.now(), std::move(frame), done, kRequestMax);
  after();
}

// ------------------------------------------------------------------------------------------------ hearing

void App::on_connected(const client::SessionInfo& session) {
  ++logins_;
  if (logins_ > 1) complain("H6", "had to log in again");
  user_ = session.user;
  stored_ = started_at_ = session.cursor;
  device_ = history_.devices.size();
  history_.devices.push_back({options_.username + "/app", user_, session.cursor, true, {}});
}

void App::on_session_ended(const client::Failure& failure) {
  ended_ = true;
  complain("H6", "lost its session: " + failure.str());
}

void App::on_change(const v1::InboxItem& item) {
  History::Shown one;
  one.position = item.position();
  one.conversation = *ConversationId::from_bytes(item.conversation_id());
  one.number = item.change().number();
  if (!item.change().has_hidden()) one.content = item.change().SerializeAsString();
  take_over(std::move(one));
}

void App::on_head(const v1::InboxItem& item) {
  History::Shown one;
  one.position = item.position();
  one.conversation = *ConversationId::from_bytes(item.conversation_id());
  one.number = item.head();
  one.head = true;
  take_over(std::move(one));
}

/// What it was shown is stored with its position, so what comes again after it was switched off is known by that.
void App::take_over(History::Shown one) {
  std::uint64_t& known = known_[one.conversation];
  known = std::max(known, one.number);
  if (one.position <= started_at_) return;
  if (one.position <= stored_)
    complain("H2", "is shown position " + std::to_string(one.position) + " and has " + std::to_string(stored_));
  stored_ = std::max(stored_, one.position);
  device().shown.push_back(std::move(one));
}

}  // namespace holdfast::sim
