#include "server/greeting.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>
#include <set>

namespace holdfast {

Status greet_members(const failover::PeerLinksOptions& options, const std::map<NodeId, HostPort>& members) {
  if (members.empty()) return Ok{};
  boost::asio::io_context loop{1};
  std::optional<std::string> refused;
  std::set<NodeId> silent;
  const failover::PeerHandlers handlers{
      .on_up = [&](const peer::Hello&) { loop.stop(); },
      .on_down =
          [&](NodeId node, failover::LinkDown) {
            silent.insert(node);
            if (silent.size() == members.size()) loop.stop();
          },
      .on_frame = [](NodeId, std::unique_ptr<peer::Frame>) {},
      .on_refused =
          [&](NodeId, const std::string& reason) {
            refused = reason;
            loop.stop();
          },
  };
  failover::PeerLinks links(loop.get_executor(), options, handlers);
  links.set_peers(members);
  loop.run_for(kGreetingMax);
  const std::optional<std::string> why = refused;
  links.close();
  boost::asio::co_spawn(loop, links.join(), boost::asio::detached);
  loop.restart();
  loop.run();
  if (!why) return Ok{};
  return Error{Errc::permission_denied, "the cluster's nodes do not take this one: " + *why};
}

}  // namespace holdfast
