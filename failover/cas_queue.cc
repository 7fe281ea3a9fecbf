#include "failover/cas_queue.h"

#include <utility>

#include "base/check.h"

namespace holdfast::failover {
namespace {

RowValue with_nonce(RowValue value, std::uint64_t nonce) {
  std::visit([nonce](auto& row) { row.set_nonce(nonce); }, value);
  return value;
}

std::string bytes_of(const RowValue& value) {
  return std::visit([](const auto& row) { return row.SerializeAsString(); }, value);
}

/// `bytes` as a row of the kind of `like`; nothing if they are none.
std::optional<RowValue> parse_like(const RowValue& like, const std::string& bytes) {
  RowValue parsed = like;
  if (!std::visit([&](auto& row) { return row.ParseFromString(bytes); }, parsed)) return std::nullopt;
  return parsed;
}

std::uint64_t nonce_of(const RowValue& value) {
  return std::visit([](const auto& row) { return static_cast<std::uint64_t>(row.nonce()); }, value);
}

/// Compares of the transaction under construction: each key once.
class Compares {
 public:
  /// How many operations it would add; nothing if it contradicts what is there.
  std::optional<std::size_t> added_by(const std::string& key, std::uint64_t revision,
                                      const std::vector<Compare>& also) const {
    std::map<std::string, std::uint64_t> fresh;
    const auto note = [&](const std::string& k, std::uint64_t r) {
      const auto known = all_.find(k);
      if (known != all_.end()) return known->second == r;
      return fresh.emplace(k, r).first->second == r;
    };
    if (!note(key, revision)) return std::nullopt;
    for (const Compare& compare : also)
      if (!note(compare.key, compare.revision)) return std::nullopt;
    return fresh.size();
  }
  void add(const std::string& key, std::uint64_t revision, const std::vector<Compare>& also) {
    all_.emplace(key, revision);
    for (const Compare& compare : also) all_.emplace(compare.key, compare.revision);
  }
  std::vector<Compare> list() const {
    std::vector<Compare> list;
    for (const auto& [key, revision] : all_) list.push_back({key, revision});
    return list;
  }

 private:
  std::map<std::string, std::uint64_t> all_;
};

}  // namespace

bool CasQueue::add(RowChange change) {
  if (outstanding(change.key)) return false;
  Outstanding outstanding;
  while (outstanding.nonce == 0) outstanding.nonce = random_.next();
  outstanding.written = with_nonce(change.value, outstanding.nonce);
  fresh_.push_back(change.key);
  const std::string key = change.key;
  outstanding.change = std::move(change);
  changes_.emplace(key, std::move(outstanding));
  return true;
}

std::vector<CasQueue::Group> CasQueue::pack() {
  std::vector<Group> groups;
  Compares compares;
  std::size_t operations = 0;
  for (const std::string& key : std::exchange(fresh_, {})) {
    const RowChange& change = changes_.at(key).change;
    auto added = compares.added_by(key, change.compared, change.also);
    if (groups.empty() || !added || operations + *added + 1 > options_.operations_max) {
      groups.emplace_back();
      compares = {};
      operations = 0;
      added = compares.added_by(key, change.compared, change.also);
      HF_CHECK(added.has_value(), "a change does not contradict itself");
    }
    compares.add(key, change.compared, change.also);
    operations += *added + 1;
    groups.back().push_back(key);
  }
  return groups;
}

Transaction CasQueue::transaction_of(const Group& group) const {
  Transaction transaction;
  Compares compares;
  for (const std::string& key : group) {
    const Outstanding& outstanding = changes_.at(key);
    compares.add(key, outstanding.change.compared, outstanding.change.also);
    if (outstanding.change.remove) {
      transaction.removes.push_back(key);
    } else {
      auto& puts = outstanding.change.leased ? transaction.leased_puts : transaction.puts;
      puts.emplace(key, bytes_of(outstanding.written));
    }
  }
  transaction.compares = compares.list();
  return transaction;
}

std::vector<Submission> CasQueue::take_submissions() {
  for (Group& group : pack()) groups_.push_back(std::move(group));
  std::vector<Submission> submissions;
  while (!groups_.empty() && in_flight_.size() < options_.in_flight_max) {
    const std::uint64_t ticket = next_ticket_++;
    submissions.push_back({ticket, transaction_of(groups_.front())});
    for (const std::string& key : groups_.front()) changes_.at(key).state = State::in_flight;
    in_flight_.emplace(ticket, std::move(groups_.front()));
    groups_.pop_front();
  }
  return submissions;
}

void CasQueue::done(std::uint64_t ticket, Outcome outcome) {
  const auto it = in_flight_.find(ticket);
  HF_CHECK(it != in_flight_.end(), "a transaction is answered once");
  const Group group = std::move(it->second);
  in_flight_.erase(it);
  if (outcome == Outcome::refused && group.size() > 1) {
    const auto middle = group.begin() + static_cast<std::ptrdiff_t>(group.size() / 2);
    groups_.emplace_back(group.begin(), middle);
    groups_.emplace_back(middle, group.end());
    return;
  }
  for (const std::string& key : group) {
    Outstanding& outstanding = changes_.at(key);
    outstanding.state = State::answered;
    outstanding.outcome = outcome;
    if (outcome == Outcome::unknown && !std::exchange(outstanding.was_unknown, true))
      settled_.push_back({outstanding.change, Outcome::unknown});
  }
}

bool CasQueue::wants_listing() const {
  for (const auto& [key, outstanding] : changes_)
    if (outstanding.state == State::answered) return true;
  return false;
}

void CasQueue::listing_begun() {
  for (auto& [key, outstanding] : changes_)
    if (outstanding.state == State::answered) outstanding.state = State::looked_up;
}

void CasQueue::listed(const ConfigRows& listed) {
  std::vector<std::string> looked_up;
  for (const auto& [key, outstanding] : changes_)
    if (outstanding.state == State::looked_up) looked_up.push_back(key);
  for (const std::string& key : looked_up) {
    const auto row = listed.rows.find(key);
    settle(key, row == listed.rows.end() ? nullptr : &row->second);
  }
}

bool CasQueue::is_ours(const Outstanding& outstanding, const ConfigRow* row) const {
  if (outstanding.change.remove) return row == nullptr;
  if (row == nullptr) return false;
  const auto value = parse_like(outstanding.change.value, row->value);
  return value && nonce_of(*value) == outstanding.nonce;
}

void CasQueue::settle(const std::string& key, const ConfigRow* row) {
  Outstanding& outstanding = changes_.at(key);
  const std::uint64_t revision = row == nullptr ? 0 : row->revision;
  Outcome outcome = outstanding.outcome;
  if (outstanding.was_unknown) {
    if (revision == outstanding.change.compared) {
      write_again(key, outstanding, row);
      return;
    }
    outcome = is_ours(outstanding, row) ? Outcome::applied : Outcome::refused;
  }
  settled_.push_back({std::move(outstanding.change), outcome});
  changes_.erase(key);
}

/// The row still has the revision compared. If the change was refused meanwhile for something else that it compares, it is
/// not wanted any more, but a first write may still come through: the row is written as it stands, to move its revision.
void CasQueue::write_again(const std::string& key, Outstanding& outstanding, const ConfigRow* row) {
  if (outstanding.outcome == Outcome::refused && row != nullptr && !outstanding.forcing) {
    if (auto present = parse_like(outstanding.change.value, row->value)) {
      std::uint64_t nonce = 0;
      while (nonce == 0) nonce = random_.next();
      outstanding.written = with_nonce(std::move(*present), nonce);
      outstanding.change.remove = false;
      outstanding.change.also.clear();
      outstanding.forcing = true;
    }
  }
  outstanding.state = State::waiting;
  fresh_.push_back(key);
}

}  // namespace holdfast::failover
