/// Partition: what the connected hear, and answers that wait for gateways.
#include "base/check.h"
#include "proto/state.pb.h"
#include "server/chat/session_book.h"
#include "server/partition_internal.h"
#include "server/services/address_health.h"
#include "server/services/incident_banner.h"
#include "storage/keys.h"

namespace holdfast {

/// What was decided takes effect and is answered: it is committed.
void Partition::release_decided(Flight& flight) {
  for (Flight::Decided& decided : flight.decided) {
    std::vector<chat::ConnectionRef> ended;
    bool ends_session = false;
    for (chat::Effect& effect : decided.effects) {
      ends_session |= std::holds_alternative<chat::SessionGone>(effect);
      carry_out(std::move(effect), decided.session, ended);
    }
    // Gateways that held the session under the epoch before may not have attached here yet.
    const bool young = ends_session && !replica_.is_alone();
    answer(std::move(decided.then), std::move(decided.answer), std::move(ended),
           young ? opened_at_ + options_.revocation_wait : SteadyTime{});
  }
}

/// Decided on committed rows alone: that holds if nobody leads a later epoch, and whoever might lead one is asked.
void Partition::hold_for_barrier(Flight flight) {
  if (replica_.is_alone()) return release_decided(flight);
  unbarred_.push_back({replica_.want_barrier(), steady_now_, std::make_unique<Flight>(std::move(flight))});
}

void Partition::release_passed() {
  while (has_passed()) {
    const std::unique_ptr<Flight> decided = std::move(unbarred_.front().decided);
    unbarred_.pop_front();
    release_decided(*decided);
  }
}

/// Not enough copies answer, and nobody has left the set yet: clients are told to come again, what is under way waits.
void Partition::give_up_stuck() {
  const auto since = replica_.in_flight_since();
  constexpr std::chrono::milliseconds kAgain{500};
  constexpr const char* kWhy = "too few copies of this partition can be reached at present";
  const bool blocked = !replica_.has_enough_copies() && !writes_waiting_.empty();
  if (blocked || (since != SteadyTime{} && steady_now_ - since > options_.stuck_after))
    refuse_client_writes(v1::RETRY, kWhy, kAgain);
  while (!unbarred_.empty() && steady_now_ - unbarred_.front().since > options_.stuck_after) {
    for (Flight::Decided& decided : unbarred_.front().decided->decided) {
      chat::Draft draft;
      draft.refuse(v1::RETRY, kWhy, kAgain);
      ready_.answers.emplace_back(std::move(decided.then), std::move(draft.answer()));
    }
    unbarred_.pop_front();
  }
}

/// `session`: whose command led to it. It is not waited for when it ends itself: its gateway waits for the answer.
void Partition::carry_out(chat::Effect effect, const std::string& session, std::vector<chat::ConnectionRef>& ended) {
  if (const auto* added = std::get_if<chat::InboxAdded>(&effect)) {
    attached_.inbox_added(*added);
  } else if (const auto* gone = std::get_if<chat::SessionGone>(&effect)) {
    const bool own = gone->session.bytes() == session;
    for (const auto& connection : attached_.session_gone(*gone))
      if (!own) ended.push_back(connection);
  } else if (auto* tell = std::get_if<chat::TellUsers>(&effect)) {
    ready_.tells.push_back(std::move(*tell));
  } else if (const auto* all = std::get_if<chat::TellAll>(&effect)) {
    attached_.tell_all(all->frame);
  } else if (auto* intent = std::get_if<chat::BeginIntent>(&effect)) {
    ready_.intents.push_back(std::move(*intent));
  } else {
    tell_members(std::get<chat::TellMembers>(effect));
  }
}

void Partition::tell_members(const chat::TellMembers& tell) {
  const auto found = rows_.peek(keys::conversation(tell.conversation));
  if (!found.value) return;  // soft: the rule had the row a moment ago, or the conversation is gone
  state::Conversation conversation;
  HF_CHECK(conversation.ParseFromString(*found.value), "a stored row parses");
  chat::TellUsers out{{}, tell.frame};
  if (conversation.kind() == v1::DIRECT) {
    for (const auto& peer : conversation.peers())
      if (const auto user = UserId::from_bytes(peer.user()); user && *user != tell.except) out.users.push_back(*user);
    ready_.tells.push_back(std::move(out));
    return;
  }
  if (conversation.members() > limits_.positions_audience_max) return;
  const std::string prefix = keys::prefix(keys::Family::member, tell.conversation.bytes());
  want_range({.from = prefix, .until = keys::after_prefix(prefix)},
             [this, out = std::move(out), except = tell.except](const std::vector<Row>& rows) mutable {
               for (const Row& row : rows) {
                 state::MemberRow member;
                 HF_CHECK(member.ParseFromString(row.value), "a stored row parses");
                 const auto key = keys::decode(row.key);
                 const auto user = UserId::from_bytes(key->second);
                 if (member.intervals().empty() || member.intervals().rbegin()->left() != 0 || *user == except)
                   continue;
                 out.users.push_back(*user);
               }
               ready_.tells.push_back(std::move(out));
             });
}

/// "Revoked" is said when every gateway that held the session has let go of it, or must have by its own rule.
void Partition::answer(Answered then, command::Answer answer, std::vector<chat::ConnectionRef> ended,
                       SteadyTime not_before) {
  if (ended.empty() && not_before <= steady_now_)
    ready_.answers.emplace_back(std::move(then), std::move(answer));
  else
    held_.push_back(
        {std::move(ended), not_before, steady_now_ + options_.revocation_wait, std::move(then), std::move(answer)});
}

void Partition::release_held() {
  std::erase_if(held_, [&](Held& held) {
    std::erase_if(held.connections, [&](const auto& connection) { return !attached_.is_attached(connection); });
    if (steady_now_ < held.not_before || (!held.connections.empty() && steady_now_ < held.until)) return false;
    ready_.answers.emplace_back(std::move(held.then), std::move(held.answer));
    return true;
  });
}

/// A session can end while its connection is on the way here: whether it stands is looked up, not believed.
void Partition::attach(const chat::Attach& attach) {
  if (attached_.is_attached(attach.connection)) return;  // its own credit and position stand
  auto& attaching = attaching_[attach.connection];
  if (attaching) return;
  attaching = std::make_unique<Attaching>(Attaching{attach, false, {}});
  attaching->needs.ready = [this, connection = attach.connection] { finish_attach(connection); };
  finish_attach(attach.connection);
}

void Partition::finish_attach(chat::ConnectionRef connection) {
  Attaching& attaching = *attaching_.at(connection);
  const chat::Attach& attach = attaching.attach;
  RowView view(*this, attaching.needs);
  const auto session = view.get<state::Session>(keys::session(attach.user, attach.session));
  const auto account = view.get<state::Account>(keys::account(attach.user));
  const auto mailbox = view.get<state::Mailbox>(keys::mailbox(attach.user));
  const auto incident = view.get<state::CurrentIncident>(keys::incident());
  if (view.missing()) return want(attaching.needs);
  let_go(attaching.needs);
  const auto keep = attaching_.extract(connection);
  if (attaching.gone) return;
  const chat::Context context{replica_.log_time(wall_now_), options_.id, options_.partitions, limits_,
                              options_.first_position};
  const auto barred = account ? chat::barred_by_operator(context, *account) : std::nullopt;
  if (barred)
    ready_.deliveries.push_back(chat::EndConnection{connection, barred->code(), barred->message()});
  else if (!session || !mailbox || !session->ended().empty())
    ready_.deliveries.push_back(
        chat::EndConnection{connection, v1::SESSION_ENDED, session ? session->ended() : "the session is gone"});
  else
    finish_attached(attach, mailbox->head(), incident, account);
}

void Partition::finish_attached(const chat::Attach& attach, std::uint64_t head,
                                const std::optional<state::CurrentIncident>& incident,
                                const std::optional<state::Account>& account) {
  attached_.attach(attach, head);
  if (!replica_.is_alone()) last_nodes_.attached(attach, steady_now_);
  const auto tell = [&](const v1::ServerFrame& frame) {
    ready_.deliveries.push_back(chat::DeliverFrame{attach.connection, frame.SerializeAsString()});
  };
  if (incident) tell(services::banner_of(*incident, true));
  if (account && account->email_failing()) tell(services::email_failing(*account));
}

void Partition::detach(const UserId& user, chat::ConnectionRef connection) {
  if (const auto at = attaching_.find(connection); at != attaching_.end()) at->second->gone = true;
  attached_.detach(user, connection, steady_now_);
  last_nodes_.detached(connection, steady_now_);
  release_held();
}

void Partition::detach_node(NodeId node) {
  for (auto& [connection, attaching] : attaching_) attaching->gone |= connection.node == node;
  attached_.detach_node(node, steady_now_);
  last_nodes_.lost_node(node);
  release_held();
}

void Partition::read_page(const Attached::Page& page) {
  struct Both {
    std::vector<Row> inbox, heads;
    int open = 2;
  };
  auto both = std::make_shared<Both>();
  const auto finish = [this, page, both] {
    if (--both->open == 0) attached_.read(page, both->inbox, both->heads);
  };
  const std::string inbox = keys::prefix(keys::Family::inbox, page.user.bytes());
  want_range({.from = keys::inbox(page.user, page.after + 1),
              .until = keys::after_prefix(inbox),
              .limit = Attached::kPageRows,
              .bytes_max = page.bytes_max},
             [both, finish](std::vector<Row> rows) {
               both->inbox = std::move(rows);
               finish();
             });
  const std::string heads = keys::prefix(keys::Family::head, page.user.bytes());
  want_range({.from = heads, .until = keys::after_prefix(heads), .limit = SIZE_MAX, .bytes_max = SIZE_MAX},
             [both, finish](std::vector<Row> rows) {
               both->heads = std::move(rows);
               finish();
             });
}

}  // namespace holdfast
