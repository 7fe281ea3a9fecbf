#include "tools/holdfastctl/admin.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fstream>
#include <future>

#include "net/task_group.h"
#include "tools/holdfastctl/figures.h"

namespace holdfast::ctl {
namespace {

Awaitable<void> fetch(HostPort where, HttpRequest request, std::chrono::milliseconds time_max,
                      std::optional<Result<HttpResponse>>* into) {
  auto response = co_await fetch_http(std::move(where), std::move(request), time_max);
  into->emplace(std::move(response));
}

/// For the audit journal: what this machine calls whoever runs us.
std::string who_asks() {
  const passwd* user = getpwuid(getuid());
  char host[256] = {};
  if (gethostname(host, sizeof host - 1) != 0) host[0] = 0;
  return (user != nullptr ? std::string(user->pw_name) : std::to_string(getuid())) + "@" + host;
}

Error no_node(const HostPort& where, unsigned status) {
  return {Errc::io, where.str() + " answers HTTP (" + std::to_string(status) +
                        "), but is no operators' port of Holdfast (`admin`, 7490 unless configured)"};
}

}  // namespace

Error refused(const HostPort& where, const HttpResponse& response) {
  const auto message = parse_error(response.body);
  // 504 is a node's, too, though not its pages': they took too long.
  if (!message && response.status == 504) return {Errc::io, where.str() + " answered 504: it took too long"};
  if (!message) return no_node(where, response.status);
  const std::string said = where.str() + ": " + *message;
  switch (response.status) {
    case 400: return {Errc::unsupported, said};
    case 401: return {Errc::permission_denied, said};
    case 404: return {Errc::not_found, said};
    case 409: return {Errc::not_primary, said};
    case 503: return {Errc::retry_later, said};
    default: return {Errc::io, where.str() + " answered " + std::to_string(response.status) + ": " + *message};
  }
}

Result<std::string> page_of(const HostPort& where, HttpResponse response) {
  if (response.status != 200) return refused(where, response);
  if (!response.body.starts_with('{')) return no_node(where, response.status);  // all that a node tells are objects
  return std::move(response.body);
}

Result<std::vector<HostPort>> parse_admin(std::string_view text) {
  std::vector<HostPort> all;
  for (std::size_t from = 0; from <= text.size();) {
    const auto comma = std::min(text.find(',', from), text.size());
    auto one = parse_host_port(text.substr(from, comma - from));
    if (!one) return Error{Errc::invalid_argument, "--admin: " + one.error().message};
    all.push_back(std::move(*one));
    from = comma + 1;
  }
  return all;
}

std::string nobody_answered(const std::vector<HostPort>& where, const std::vector<std::string>& why) {
  std::string text = where.size() == 1 ? "no node answers:" : "none of these nodes answers:";
  for (std::size_t i = 0; i < where.size(); ++i) {
    std::string_view reason = why[i];
    if (const std::string name = where[i].str(); reason.starts_with(name)) reason.remove_prefix(name.size());
    reason.remove_prefix(std::min(reason.find_first_not_of(": "), reason.size()));
    text += "\n  " + where[i].str() + "  " + std::string(reason);
  }
  return text +
         "\nIs holdfastd running there? --admin takes the operators' ports of your nodes (`admin` in their "
         "configuration), several with commas; they listen on loopback unless configured, so ask on the node itself.";
}

Result<HttpResponse> Admin::ask(const HostPort& where, const std::string& method, const std::string& target,
                                std::chrono::milliseconds time_max, Key with_key, const std::string& body) {
  HttpRequest request;
  request.body = body;
  request.method = method;
  request.target = target;
  if (method == "POST" || with_key == Key::with) {
    auto secret = key();
    if (!secret) return secret.error();
    request.headers.emplace_back("Authorization", "Bearer " + *secret);
    request.headers.emplace_back("X-Holdfast-Operator", who_asks());
  }
  boost::asio::io_context io(1);
  TaskGroup tasks(io.get_executor());
  std::optional<Result<HttpResponse>> response;
  tasks.spawn("fetch", fetch(where, std::move(request), time_max, &response));
  io.run();
  if (!response) return Error{Errc::io, "the question could not be asked"};
  return std::move(*response);
}

Result<std::string> Admin::key() {
  if (!key_.empty()) return key_;
  std::ifstream file(options_.key_file);
  if (!std::getline(file, key_) || key_.empty())
    return Error{Errc::invalid_argument, "cannot read the operator key from " + options_.key_file +
                                             " (--operator-key FILE; it lies in every node's data directory)"};
  return key_;
}

Result<std::string> Admin::get_from(const HostPort& where, const std::string& target,
                                    std::chrono::milliseconds time_max) {
  auto response = ask(where, "GET", target, time_max);
  if (!response) return response.error();
  return page_of(where, std::move(*response));
}

Result<std::string> Admin::get(const std::string& target) { return get_with(target, Key::without); }

Result<std::string> Admin::get_secret(const std::string& target) { return get_with(target, Key::with); }

Result<std::string> Admin::get_with(const std::string& target, Key with_key) {
  std::vector<std::string> why;
  for (std::size_t i = 0; i < options_.where.size(); ++i) {
    auto response = ask(options_.where[i], "GET", target, options_.time_max, with_key);
    if (!response && response.error().code == Errc::invalid_argument) return response.error();  // no key
    auto page = response ? page_of(options_.where[i], std::move(*response)) : Result<std::string>(response.error());
    if (!response || (!page && page.error().code == Errc::io)) {
      why.push_back(page.error().message);
      continue;
    }
    std::rotate(options_.where.begin(), options_.where.begin() + static_cast<std::ptrdiff_t>(i),
                options_.where.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    return page;
  }
  return Error{Errc::io, nobody_answered(options_.where, why)};
}

Status Admin::post_to(const HostPort& where, const std::string& target, const std::string& body) {
  auto response = ask(where, "POST", target, options_.time_max, Key::with, body);
  if (!response) return response.error();
  if (response->status != 202) return refused(where, *response);
  return Ok{};
}

Result<std::string> Admin::post_for_body(const std::string& target) {
  const HostPort& where = options_.where.front();
  auto response = ask(where, "POST", target, options_.time_max);
  if (!response) return response.error();
  if (response->status != 200) return refused(where, *response);
  return std::move(response->body);
}

Status Admin::post(const std::string& target, const std::string& body) {
  std::vector<std::string> why;
  std::optional<Error> elsewhere;
  for (const HostPort& where : options_.where) {
    const Status done = post_to(where, target, body);
    if (done || (done.error().code != Errc::io && done.error().code != Errc::not_primary)) return done;
    why.push_back(done.error().message);
    if (done.error().code == Errc::not_primary) elsewhere = done.error();
  }
  if (elsewhere) return *elsewhere;
  return Error{Errc::io, nobody_answered(options_.where, why)};
}

}  // namespace holdfast::ctl
