#include "clients/cpp/endpoints.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace holdfast::client {

Endpoints::Endpoints(std::vector<Endpoint> bootstrap, Random& random) : bootstrap_(std::move(bootstrap)) {
  HF_CHECK(!bootstrap_.empty(), "a client has somewhere to connect to");
  // Fisher and Yates; std::shuffle wants another kind of source.
  for (std::size_t i = bootstrap_.size() - 1; i > 0; --i) std::swap(bootstrap_[i], bootstrap_[random.below(i + 1)]);
  round_ = bootstrap_;
}

std::vector<Endpoint> Endpoints::known() const {
  std::vector<Endpoint> all = ranked_;
  for (const auto& one : bootstrap_)
    if (std::find(all.begin(), all.end(), one) == all.end()) all.push_back(one);
  return all;
}

std::optional<Endpoint> Endpoints::parse(const std::string& address) const {
  if (address.find("://") != std::string::npos) return std::nullopt;
  auto parsed = parse_endpoint(address);
  if (!parsed) return std::nullopt;
  parsed->tls = bootstrap_.front().tls;
  parsed->websocket = bootstrap_.front().websocket;
  return *parsed;
}

void Endpoints::set_ranked(const std::vector<std::string>& addresses) {
  std::vector<Endpoint> ranked;
  for (const auto& address : addresses)
    if (auto one = parse(address); one && std::find(ranked.begin(), ranked.end(), *one) == ranked.end())
      ranked.push_back(std::move(*one));
  if (ranked.empty()) return;
  const Endpoint now = current();
  ranked_ = std::move(ranked);
  moved_to(now);
}

std::vector<std::string> Endpoints::ranked() const {
  std::vector<std::string> addresses;
  for (const auto& one : ranked_) addresses.push_back(one.authority());
  return addresses;
}

void Endpoints::start_over() {
  round_ = known();
  next_ = 0;
}

void Endpoints::lost() {
  const Endpoint gone = current();
  round_ = known();
  const auto at = std::find(round_.begin(), round_.end(), gone);
  if (at != round_.end()) std::rotate(at, at + 1, round_.end());
  next_ = 0;
}

void Endpoints::moved_to(const Endpoint& endpoint) {
  round_ = known();
  const auto at = std::find(round_.begin(), round_.end(), endpoint);
  next_ = static_cast<std::size_t>(at - round_.begin());
  if (at == round_.end()) round_.push_back(endpoint);
}

}  // namespace holdfast::client
