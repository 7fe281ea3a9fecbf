#include "tools/holdfast-load/session.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <utility>

#include "net/tls_sessions.h"
#include "tools/holdfast-load/provisioning.h"

namespace holdfast::load {
namespace {

/// With an open loop messages are planned also while the server is away; they wait here.
constexpr std::size_t kOutboxMax = 1'000'000;
/// A server that is slow is to be measured, and not to be given up on.
constexpr std::chrono::seconds kRequestMax{120};

}  // namespace

Session::Session(Workplace& place, SessionEvents& events, std::uint64_t index, client::Credentials credentials)
    : place_(place),
      events_(events),
      index_(index),
      credentials_(std::move(credentials)),
      tickets_(std::make_shared<ClientTickets>(place.plan.fresh_tls ? 0 : 1)) {}

Session::~Session() = default;

void Session::keep_for_return() { store_ = std::make_unique<client::MemorySessionStore>(); }

client::ClientOptions Session::client_options() const {
  client::ClientOptions all;
  all.endpoints = place_.target.endpoints;
  all.trust = place_.target.trust;
  all.credentials = credentials_;
  all.client_name = "holdfast-load";
  all.source_address = place_.source(index_);
  all.tls_tickets = tickets_;
  all.outbox_messages_max = kOutboxMax;
  all.sends_ahead_max = ahead_;
  all.request_max = kRequestMax;
  return all;
}

void Session::start() {
  client_ = std::make_unique<client::Client>(place_.runtime, client_options(), *this, store_.get());
  client_->start();
}

void Session::leave() {
  resumes_before_ += client_->resumes();
  client_.reset();
}

void Session::close() {
  if (client_) client_->close();
}

void Session::count_handshake() {
  if (!client_->endpoint().tls) return;
  ++place_.tally.counts["tls_handshakes"];
  if (client_->tls_resumed()) ++place_.tally.counts["tls_resumed"];
}

Session::View* Session::view_of(const std::string& conversation_id) {
  const auto found = std::find_if(views_.begin(), views_.end(),
                                  [&](const View& view) { return view.conversation.bytes() == conversation_id; });
  return found == views_.end() ? nullptr : &*found;
}

void Session::tell(View& view, const v1::Change& change) {
  if (change.number() < view.next_number && !view.begun) return;
  view.begun = true;
  view.next_number = std::max(view.next_number, change.number() + 1);
  if (view.talk->shown(view.viewer, change)) events_.on_shown(*this, *view.talk);
}

void Session::on_change(const v1::InboxItem& item) {
  if (View* view = view_of(item.conversation_id())) return tell(*view, item.change());
  if (early_.size() < kEarlyMax)
    early_.push_back(item);
  else
    place_.tally.error("changes of conversations that are not ours");
}

void Session::look_at(Talk& talk, std::size_t viewer, const ConversationId& conversation, std::uint64_t from_number) {
  talk.ledger().begins_at(viewer, from_number);
  views_.push_back({conversation, &talk, viewer, from_number});
  std::vector<v1::InboxItem> others;
  for (auto& item : std::exchange(early_, {})) {
    if (item.conversation_id() == conversation.bytes())
      tell(views_.back(), item.change());
    else
      others.push_back(std::move(item));
  }
  early_ = std::move(others);
}

void Session::on_head(const v1::InboxItem& item) {
  View* view = view_of(item.conversation_id());
  if (view == nullptr) return;
  view->head = std::max(view->head, item.head());
  if (!view->paging) page(*view);
}

void Session::page(View& view) {
  constexpr std::uint32_t kPage = 500;
  if (view.next_number > view.head) return;
  view.paging = true;
  auto ask = client::ask::history(view.conversation, {view.next_number, false, kPage});
  client_->request(std::move(ask), [this, id = view.conversation.str()](const client::Reply& reply) {
    View& paged = *view_of(id);
    paged.paging = false;
    if (!reply.ok()) return place_.tally.error("history: " + reply.failure->str());
    for (const auto& change : reply.frame.history().changes()) tell(paged, change);
    if (reply.frame.history().changes_size() > 0) page(paged);
  });
}

void Session::on_history_gap(const v1::HistoryGap&) { place_.tally.error("an inbox lost rows (HISTORY_GAP)"); }
void Session::on_history_reset(const v1::HistoryReset&) {
  place_.tally.error("the server was restored from a backup (HISTORY_RESET)");
}
void Session::on_session_ended(const client::Failure& failure) {
  // Only a session that asked for it is told so.
  if (failure.code == v1::SESSION_ENDED && failure.message == "logged out") return;
  place_.tally.error("a session ended: " + failure.str());
}

// ------------------------------------------------------------------------------------------------ many of them

Awaitable<Status> connect_all(Workplace* place, std::vector<Session*> sessions) {
  constexpr std::size_t kAtOnce = 50;
  constexpr std::chrono::duration<double> kConnectMax{300};
  const auto online = [](const Session* session) { return session->online(); };
  for (std::size_t i = 0; i < sessions.size(); ++i) {
    sessions[i]->start();
    if ((i + 1) % kAtOnce != 0) continue;
    // Not further ahead of the server than a few hundred.
    const std::size_t from = i + 1 > 4 * kAtOnce ? i + 1 - 4 * kAtOnce : 0;
    auto settled = [&sessions, from, online] { return online(sessions[from]); };
    const bool went_on = co_await wait_until(place, settled, kConnectMax);
    if (!went_on) break;
    co_await next_turn(place);
  }
  auto all_online = [&sessions, online] { return std::all_of(sessions.begin(), sessions.end(), online); };
  const bool all = co_await wait_until(place, all_online, kConnectMax);
  if (all) co_return Ok{};
  const auto there = static_cast<std::size_t>(std::count_if(sessions.begin(), sessions.end(), online));
  co_return Error{Errc::io,
                  fmt::format("only {} of {} sessions came online within five minutes", there, sessions.size())};
}

Awaitable<Result<std::vector<std::unique_ptr<Session>>>> make_sessions(Workplace* place, SessionEvents* events,
                                                                       std::uint64_t first_index,
                                                                       std::vector<std::string> names) {
  auto users = co_await provision(place->runtime, place->target, std::move(names));
  if (!users) co_return users.error();
  std::vector<std::unique_ptr<Session>> sessions;
  for (auto& user : *users)
    sessions.push_back(std::make_unique<Session>(*place, *events, first_index + sessions.size(),
                                                 client::ResumeWith{std::move(user.token), 0}));
  co_return sessions;
}

}  // namespace holdfast::load
