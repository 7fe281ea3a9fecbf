#include "tools/holdfastctl/certs.h"

#include <CLI/CLI.hpp>
#include <iostream>

#include "net/cluster_certs.h"
#include "tools/holdfastctl/command.h"
#include "tools/holdfastctl/options.h"

namespace holdfast::ctl {

namespace {

int report(const Status& done, const std::string& made) {
  if (!done) return failed(done.error());
  std::cout << made;
  return kExitOk;
}

int init(const CertsCommand& command) {
  const auto done = make_cluster_ca(command.directory);
  const auto files = cluster_ca_files(command.directory);
  return report(done, files.certificate + "  copy it to every node\n" + files.key +
                          "  signs the nodes' certificates: keep it off the nodes\n");
}

int node(const CertsCommand& command) {
  const auto done = make_node_certificate(command.directory, command.name, command.hosts);
  const auto files = node_certificate_files(command.directory, command.name);
  const auto ca = cluster_ca_files(command.directory);
  return report(done, "Copy to " + command.name + ":\n" + files.certificate + "\n" + files.key + "  secret\n" +
                          ca.certificate + "\n");
}

}  // namespace

void add_certs(CLI::App& app, CertsCommand& command) {
  auto* certs = app.add_subcommand("certs", "certificates by which a cluster's nodes know each other");
  certs->require_subcommand(1);
  command.init = certs->add_subcommand("init", "make the cluster's authority, once");
  command.node = certs->add_subcommand("node", "make a node's certificate, or a new one");
  for (auto* one : {command.init, command.node}) {
    one->add_option("-d,--dir", command.directory, "where the files are [certs]");
  }
  command.node->add_option("-n,--node", command.name, "the node's name")->required();
  command.node->add_option("--host", command.hosts, "its host names and addresses")->required();
}

std::optional<int> run_certs(const CertsCommand& command) {
  if (command.init->parsed()) return init(command);
  if (command.node->parsed()) return node(command);
  return std::nullopt;
}

}  // namespace holdfast::ctl
