/// `holdfastctl certs`: a cluster's authority and its nodes' certificates. Needs no server.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace holdfast::ctl {

/// What was written after `certs`.
struct CertsCommand {
  CLI::App* init = nullptr;
  CLI::App* node = nullptr;
  std::string directory = "certs";
  std::string name;
  std::vector<std::string> hosts;
};

/// Adds `certs init` and `certs node` to `app`; both outlive the parse.
void add_certs(CLI::App& app, CertsCommand& command);

/// Carries it out, if that is what was asked for, and says how to exit.
std::optional<int> run_certs(const CertsCommand& command);

}  // namespace holdfast::ctl
