#include "tests/integration/cluster_crowd.h"

#include <catch2/catch.hpp>

#include "tests/integration/raw_client.h"

namespace holdfast::testing {

Crowd::Crowd(ClusterProcess& cluster, unsigned pairs) : stage_(cluster.ports(), [&cluster] { return cluster.logs(); }) {
  const std::vector<std::uint16_t> ports = cluster.ports();
  if (pairs == 0) pairs = static_cast<unsigned>(ports.size());
  for (unsigned i = 0; i < 2 * pairs; ++i) {
    const std::string name = fresh_name("crowd");
    people_.push_back(
        std::make_unique<Person>(stage_, name,
                                 Person::Device{.credentials = client::RegisterWith{name, Person::kPassword, ""},
                                                .sends_ahead = 8,
                                                .port = ports[(i / 2 + i % 2) % ports.size()]}));
  }
  stage_.until("all are there", [&] {
    return std::all_of(people_.begin(), people_.end(), [](const auto& person) { return person->client().online(); });
  });
  for (unsigned i = 0; i < pairs; ++i) {
    Person &a = *people_[2 * i], &b = *people_[2 * i + 1];
    pairs_.push_back({&a, &b, a.direct_with(b)});
    b.hears(pairs_.back().conversation, 1);
    a.hears(pairs_.back().conversation, 1);
  }
}

void Crowd::talk(std::size_t times) {
  for (std::size_t i = 0; i < times; ++i, ++each_said_) {
    for (Pair& pair : pairs_) {
      pair.a->mutter(pair.conversation, "a " + std::to_string(each_said_));
      pair.b->mutter(pair.conversation, "b " + std::to_string(each_said_));
    }
  }
}

std::size_t Crowd::acknowledged() const {
  std::size_t sum = 0;
  for (const auto& person : people_) sum += person->acknowledged();
  return sum;
}

void Crowd::until_acknowledged(std::size_t more) {
  const std::size_t wanted = acknowledged() + more;
  stage_.until("more is acknowledged", [&] { return acknowledged() >= wanted; });
}

void Crowd::until_said(double part) {
  const std::size_t open = people_.size() * each_said_ - acknowledged();
  until_acknowledged(static_cast<std::size_t>(static_cast<double>(open) * part));
}

std::uint64_t Crowd::resumes() {
  std::uint64_t sum = 0;
  for (const auto& person : people_) sum += person->client().resumes();
  return sum;
}

std::size_t Crowd::at(std::uint16_t port) {
  std::size_t there = 0;
  for (const auto& person : people_) there += person->client().online() && person->client().endpoint().port == port;
  return there;
}

void Crowd::check_all_came() {
  stage_.until("everything is acknowledged", [&] { return acknowledged() == people_.size() * each_said_; });
  std::vector<std::string> as, bs;
  for (std::size_t i = 0; i < each_said_; ++i) {
    as.push_back("a " + std::to_string(i));
    bs.push_back("b " + std::to_string(i));
  }
  const std::uint64_t last = 1 + 2 * each_said_;
  for (const Pair& pair : pairs_) {
    for (Person* who : {pair.a, pair.b}) {
      who->hears(pair.conversation, last);
      CHECK(who->newest(pair.conversation) == last);
      CHECK(who->changes(pair.conversation).size() == last);
      CHECK(who->said_by(pair.conversation, pair.a->id()) == as);
      CHECK(who->said_by(pair.conversation, pair.b->id()) == bs);
      CHECK(who->client().logins() == 1);
      CHECK_FALSE(who->ended());
    }
    for (const auto& [number, change] : pair.a->changes(pair.conversation))
      CHECK(change.SerializeAsString() == pair.b->changes(pair.conversation).at(number).SerializeAsString());
  }
}

}  // namespace holdfast::testing
