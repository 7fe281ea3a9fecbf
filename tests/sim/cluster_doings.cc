#include "tests/sim/cluster_doings.h"

#include "tests/support/requests.h"

namespace holdfast::sim {

Doings::Doings(ClusterWorld& world, std::uint64_t seed) : world_(world), random_(seed) {
  const std::size_t users = 2 + random_.below(3);
  for (std::size_t i = 0; i < users; ++i) {
    const std::uint64_t credit = random_.below(2) == 0 ? 300 + random_.below(500) : 64 << 10;
    world_.add_client({.username = "user" + std::to_string(i), .credit_bytes = credit});
  }
  for (std::uint64_t apps = random_.below(3); apps > 0; --apps) world_.add_app("app" + std::to_string(apps));
}

void Doings::ask_for_conversation(SimClient& client, v1::ClientFrame frame) {
  opening_.emplace_back(&client, client.ask(std::move(frame)));
}

void Doings::learn_conversations() {
  std::erase_if(opening_, [&](const auto& opening) {
    const v1::ServerFrame* answer = opening.first->answer(opening.second);
    if (answer && answer->has_conversation()) conversations_.push_back(answer->conversation().conversation_id());
    return answer != nullptr;
  });
}

UserId Doings::anybody() {
  const std::size_t who = random_.below(world_.clients() + world_.apps());
  return who < world_.clients() ? world_.client(who).user() : world_.app(who - world_.clients()).user();
}

void Doings::one_of_app(App& app) {
  if (conversations_.empty() || app.open_requests() > 12) return;
  const std::string& where = conversations_[random_.below(conversations_.size())];
  const std::uint64_t number = 1 + random_.below(20);
  switch (random_.below(16)) {
    case 0: return app.ask(requests::edit(where, number, "edited"));
    case 1: return app.ask(requests::react(where, number, "+1"));
    case 2: return app.ask(requests::history(where, number, 10));
    case 3: return app.switch_off();
    case 4:
    case 5: return app.switch_on();
    case 6: return app.stall(Millis(random_.below(3'000)));
    case 7: return app.ask_to_move(Millis(random_.below(500)));
    default:
      for (std::uint64_t posts = 1 + random_.below(3); posts > 0; --posts, ++posts_)
        app.post(*ConversationId::from_bytes(where), "hello");
  }
}

void Doings::one() {
  learn_conversations();
  const std::size_t who = random_.below(world_.clients() + world_.apps());
  if (who >= world_.clients()) return one_of_app(world_.app(who - world_.clients()));
  SimClient& client = world_.client(who);
  const UserId other = anybody();
  if (client.user().is_zero() || client.ended()) return;
  if (other.is_zero()) return;
  const bool opens = conversations_.size() < 4 && opening_.size() < 2;
  if (opens && other != client.user() && random_.below(2) == 0)
    return ask_for_conversation(client, requests::open_direct(other));
  if (opens) return ask_for_conversation(client, requests::create_group("group", {other}));
  if (conversations_.empty() || client.open_requests() > 12) return;
  const std::string& where = conversations_[random_.below(conversations_.size())];
  const std::uint64_t number = 1 + random_.below(20);
  switch (random_.below(24)) {
    case 0: client.ask(requests::edit(where, number, "edited")); return;
    case 1: client.ask(requests::remove(where, number)); return;
    case 2: client.ask(requests::react(where, number, "+1")); return;
    case 3: client.ask(requests::add_member(where, other)); return;
    case 4: client.ask(requests::leave(where)); return;
    case 5: client.ask(requests::mark(where, number)); return;
    case 6: client.ask(requests::history(where, number, 10)); return;
    case 7: client.ask(requests::rename_group(where, "another title")); return;
    case 8:
      if (client.node().is_running()) client.leave();
      return;
    case 9:
    case 10: client.come_back(); return;
    default:
      for (std::uint64_t posts = 1 + random_.below(3); posts > 0; --posts, ++posts_)
        client.ask(requests::post(where, std::string(1 + random_.below(100), 'x')));
  }
}

void Doings::everybody_comes_back() {
  for (std::size_t i = 0; i < world_.clients(); ++i) world_.client(i).come_back();
  for (std::size_t i = 0; i < world_.apps(); ++i) world_.app(i).switch_on();
}

}  // namespace holdfast::sim
