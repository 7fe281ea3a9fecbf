#include "server/last_nodes.h"

namespace holdfast {

void LastNodes::attached(const chat::Attach& attach, SteadyTime now) {
  Session& session = sessions_[attach.session];
  const bool same_node = !session.gone && session.connection.node == attach.connection.node;
  if (session.user.is_zero() || !same_node) {
    session.since = now;
    session.noted = false;
  }
  session.user = attach.user;
  session.connection = attach.connection;
  session.gone = false;
  by_connection_[attach.connection] = attach.session;
}

void LastNodes::detached(chat::ConnectionRef connection, SteadyTime now) {
  const auto at = by_connection_.find(connection);
  if (at == by_connection_.end()) return;
  const auto session = sessions_.find(at->second);
  by_connection_.erase(at);
  if (session == sessions_.end() || session->second.connection != connection) return;  // it has moved on
  session->second.gone = true;
  session->second.since = now;
  session->second.noted = false;
}

void LastNodes::lost_node(NodeId node) {
  std::erase_if(sessions_, [node](const auto& one) { return one.second.connection.node == node; });
  std::erase_if(by_connection_, [node](const auto& one) { return one.first.node == node; });
}

std::optional<command::NoteAttached> LastNodes::take(SteadyTime now) {
  if (now < next_) return std::nullopt;
  next_ = now + kEvery;
  command::NoteAttached note;
  for (auto at = sessions_.begin(); at != sessions_.end() && note.all_size() < static_cast<int>(kBatch);) {
    Session& session = at->second;
    if (session.noted || now - session.since < kSettled) {
      ++at;
      continue;
    }
    auto& one = *note.add_all();
    one.set_user(session.user.str());
    one.set_session(at->first.str());
    if (!session.gone) one.set_node(session.connection.node == NodeId{} ? self_.value : session.connection.node.value);
    session.noted = true;
    at = session.gone ? sessions_.erase(at) : std::next(at);
  }
  if (note.all().empty()) return std::nullopt;
  return note;
}

}  // namespace holdfast
