#include "server/greeting.h"

#include <boost/asio/io_context.hpp>
#include <optional>
#include <set>

#include "net/task_group.h"

namespace holdfast {

namespace {

/// What others are to dial; empty: nothing.
Result<std::string> listen(failover::PeerLinks& links, const AddressOn& address) {
  if (!address) return std::string();
  const auto port = links.listen();
  if (!port) return port.error();
  std::string own = address(*port);
  links.ask_to_be_dialled(own);
  return own;
}

failover::PeerLinksOptions patient(failover::PeerLinksOptions options) {
  options.handshake_max = kGreetingMax;
  return options;
}

}  // namespace

Status greet_members(const failover::PeerLinksOptions& options, std::map<NodeId, HostPort> members,
                     const AddressOn& own_address) {
  if (members.empty()) return Ok{};
  boost::asio::io_context loop{1};
  std::optional<std::string> refused;
  std::set<NodeId> silent;
  bool greeted = false;
  const failover::PeerHandlers handlers{
      .on_up =
          [&](const peer::Hello&) {
            greeted = true;
            loop.stop();
          },
      .on_down =
          [&](NodeId node, failover::LinkDown) {
            silent.insert(node);
            if (silent.size() == members.size()) loop.stop();
          },
      .on_frame = [](const failover::Member&, std::unique_ptr<peer::Frame>) {},
      .on_refused =
          [&](NodeId node, const std::string& reason) {
            if (!members.contains(node)) return;  // somebody who dialled us
            refused = reason;
            loop.stop();
          },
  };
  failover::PeerLinks links(loop.get_executor(), patient(options), handlers);
  const auto listening = listen(links, own_address);
  // Whoever is registered at our own address is an earlier life of ours, and what answers there now is us.
  if (listening) std::erase_if(members, [&](const auto& member) { return member.second.str() == *listening; });
  if (listening) links.set_peers(members);
  if (listening && !members.empty()) loop.run_for(kGreetingMax);
  const std::optional<std::string> why = refused;
  links.close();
  TaskGroup ending(loop.get_executor());
  ending.spawn("greeting_ends", links.join());
  loop.restart();
  loop.run();
  if (!listening) return listening.error();
  if (why) return Error{Errc::permission_denied, "the cluster's nodes do not take this one: " + *why};
  if (greeted || members.empty()) return Ok{};
  std::string where;
  for (const auto& [node, address] : members) where += (where.empty() ? "" : ", ") + address.str();
  return Error{Errc::retry_later, "none of the cluster's running nodes (" + where +
                                      ") can be reached from here: check the network and firewalls between nodes "
                                      "(cluster.listen, cluster.peer_address), or, if they have just gone, start this "
                                      "one again in ten seconds"};
}

}  // namespace holdfast
