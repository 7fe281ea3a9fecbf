#include "tests/bench/server.h"

#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fstream>
#include <sstream>

namespace holdfast::bench {
namespace {

std::string beside_us(const char* program) {
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / program).string();
}

/// HTTP/1.0: the answer ends where the connection does.
std::string http_get(std::uint16_t port, const std::string& path) {
  const int socket = connect_to(port);
  if (socket < 0) give_up("the operators' port does not answer");
  const std::string request = "GET " + path + " HTTP/1.0\r\n\r\n";
  (void)!::write(socket, request.data(), request.size());
  std::string answer;
  char buffer[16 << 10];
  for (ssize_t got; (got = ::read(socket, buffer, sizeof buffer)) > 0;)
    answer.append(buffer, static_cast<std::size_t>(got));
  ::close(socket);
  const auto body = answer.find("\r\n\r\n");
  return body == std::string::npos ? "" : answer.substr(body + 4);
}

std::string slurp(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream all;
  all << file.rdbuf();
  return all.str();
}

void add_numbers(const boost::json::value& value, const std::string& name, std::map<std::string, double>& into) {
  if (value.is_number()) into[name] = value.to_number<double>();
  if (!value.is_object()) return;
  for (const auto& [key, inner] : value.get_object())
    add_numbers(inner, name.empty() ? std::string(key) : name + "." + std::string(key), into);
}

}  // namespace

Server::Server(const std::filesystem::path& folder, const std::string& config)
    : folder_(folder), port_(free_port()), admin_port_(free_port()) {
  std::filesystem::create_directories(folder_);
  const auto toml = folder_ / "holdfast.toml";
  std::ofstream(toml) << config;
  const auto local = [](std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); };
  child_ = std::make_unique<Child>(
      std::vector<std::string>{beside_us("holdfastd"), "--config", toml.string(), "--data", data().string(), "--listen",
                               local(port_), "--http", local(0), "--admin", local(admin_port_)},
      (folder_ / "server.log").string());
  wait_until_listening(port_);
  wait_until_listening(admin_port_);
}

Server::~Server() {
  child_->terminate();
  child_->wait();
}

Samples Server::metrics() const {
  Samples samples;
  std::istringstream text(http_get(admin_port_, "/metrics"));
  for (std::string line; std::getline(text, line);) {
    if (line.empty() || line[0] == '#') continue;
    const auto space = line.rfind(' ');
    samples[line.substr(0, space)] = std::strtod(line.c_str() + space, nullptr);
  }
  return samples;
}

Door Server::door() const { return {port_, (data() / "operator.key").string(), child_->pid()}; }

std::map<std::string, double> Server::tool(const std::vector<std::string>& arguments) const {
  const auto json_file = (folder_ / "load.json").string();
  const auto log = folder_ / "load.log";
  std::filesystem::remove(log);
  std::vector<std::string> command{beside_us("holdfast-load")};
  command.insert(command.end(), arguments.begin(), arguments.end());
  for (const std::string& one :
       {std::string("--server"), "127.0.0.1:" + std::to_string(port_), std::string("--operator-key"),
        door().operator_key_file, std::string("--json"), json_file})
    command.push_back(one);
  Child load(command, log.string());
  if (load.wait() != 0) give_up("holdfast-load is not content:\n" + slurp(log));
  std::map<std::string, double> numbers;
  add_numbers(boost::json::parse(slurp(json_file)), "", numbers);
  return numbers;
}

Server::LoadFigures Server::load(const std::vector<std::string>& arguments) const {
  std::vector<std::string> all{"messages"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  const auto numbers = tool(all);
  LoadFigures figures;
  figures.acked_per_s = numbers.at("acked_per_s");
  figures.delivered_per_s = numbers.at("delivered_per_s");
  figures.delivered = numbers.at("delivered");
  figures.cpu_us = numbers.at("server_cpu_us_per_message");
  figures.ack_p50_ms = numbers.at("ack_ms.p50");
  figures.ack_p99_ms = numbers.at("ack_ms.p99");
  figures.delivery_p50_ms = numbers.at("delivery_ms.p50");
  figures.delivery_p99_ms = numbers.at("delivery_ms.p99");
  return figures;
}

}  // namespace holdfast::bench
