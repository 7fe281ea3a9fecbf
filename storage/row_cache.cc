#include "storage/row_cache.h"

#include <vector>

#include "base/check.h"
#include "storage/keys.h"

namespace holdfast {
namespace {

constexpr std::size_t kGroupBytes = 1 + 16;  // family and id
constexpr std::size_t kOverheadBytes = 192;  // node, bucket, string headers and allocator, roughly

std::uint64_t group_of(std::string_view key) { return std::hash<std::string_view>{}(key.substr(0, kGroupBytes)); }

/// The one group that all keys in [from, until) belong to, if there is one.
std::optional<std::uint64_t> group_of_range(std::string_view from, std::string_view until) {
  if (from.size() < kGroupBytes) return std::nullopt;
  const std::string_view head = from.substr(0, kGroupBytes);
  if (until.starts_with(head) || (!until.empty() && until == keys::after_prefix(head))) return group_of(from);
  return std::nullopt;
}

}  // namespace

RowCache::Found RowCache::find(std::string_view key) {
  const auto found = rows_.find(key);
  if (found == rows_.end()) {
    if (in_removed_range(key)) return {.known = true};
    loading_.emplace(key);
    return {};
  }
  Node& node = found->second;
  if (node.pinned_until == Seq(0) && node.held == 0) {
    unlink_unused(node);
    append_unused(node);
  }
  return {.known = true, .value = node.value ? &*node.value : nullptr};
}

RowCache::Found RowCache::peek(std::string_view key) const {
  const auto found = rows_.find(key);
  if (found == rows_.end()) return {.known = in_removed_range(key)};
  return {.known = true, .value = found->second.value ? &*found->second.value : nullptr};
}

bool RowCache::hold(std::string_view key) {
  const auto found = rows_.find(key);
  if (found == rows_.end()) return false;
  Node& node = found->second;
  if (node.pinned_until == Seq(0) && node.held == 0) unlink_unused(node);
  ++node.held;
  return true;
}

void RowCache::let_go(std::string_view key) {
  const auto found = rows_.find(key);
  HF_CHECK(found != rows_.end() && found->second.held > 0, "only what is held is let go");
  Node& node = found->second;
  if (--node.held == 0 && node.pinned_until == Seq(0)) append_unused(node);
  evict();
}

void RowCache::wrote(std::string_view key, std::optional<std::string_view> value, Seq seq) {
  Node& node = node_for(key);
  pin(node, seq);
  set(node, value);
  evict();
}

void RowCache::removed_range(std::string_view from, std::string_view until, Seq seq) {
  RemovedRange range{std::string(from), std::string(until), seq, group_of_range(from, until)};
  // What is being loaded may come with a value from before: it needs a row of its own that outlives the range.
  std::vector<std::string> late;
  for (const std::string& key : loading_)
    if (range.covers(key)) late.push_back(key);
  for (const std::string& key : late) node_for(key);

  const auto remove = [&](Node& node) {
    if (!range.covers(*node.key)) return;
    pin(node, seq);
    set(node, std::nullopt);
  };
  if (range.group) {
    Group& group = groups_[*range.group];
    ++group.ranges;
    for (Node* node = group.first; node; node = node->group_after) remove(*node);
  } else {
    ++wide_ranges_;
    for (auto& [key, node] : rows_) remove(node);
  }
  ranges_.push_back(std::move(range));
}

void RowCache::loaded(std::string_view key, std::optional<std::string_view> value) {
  if (const auto waiting = loading_.find(key); waiting != loading_.end()) loading_.erase(waiting);
  if (rows_.find(key) == rows_.end()) {
    if (in_removed_range(key)) return;
    Node& node = node_for(key);
    unlink_unused(node);  // its weight changes
    set(node, value);
    append_unused(node);
  }
  evict();
}

void RowCache::applied(Seq seq) {
  while (!pins_.empty() && pins_.front().first <= seq) {
    const auto [pinned_by, node] = pins_.front();
    pins_.pop_front();
    if (node->pinned_until != pinned_by) continue;  // written again since
    node->pinned_until = Seq(0);
    --pinned_;
    if (node->held == 0) append_unused(*node);
  }
  while (!ranges_.empty() && ranges_.front().seq <= seq) {
    if (const auto group = ranges_.front().group) {
      --groups_[*group].ranges;
      drop_group_if_empty(*group);
    } else {
      --wide_ranges_;
    }
    ranges_.pop_front();
  }
  evict();
}

std::size_t RowCache::weight(const Node& node) {
  return node.key->size() + kOverheadBytes + (node.value ? node.value->size() : 0);
}

/// Finds or makes it; a new one is not pinned and says that there is no such row.
RowCache::Node& RowCache::node_for(std::string_view key) {
  if (const auto found = rows_.find(key); found != rows_.end()) return found->second;
  const auto made = rows_.emplace(std::string(key), Node{}).first;
  Node& node = made->second;
  node.key = &made->first;
  bytes_ += weight(node);
  link_group(node);
  append_unused(node);
  return node;
}

void RowCache::set(Node& node, std::optional<std::string_view> value) {
  bytes_ -= weight(node);
  if (!value) {
    node.value.reset();
  } else if (node.value) {
    node.value->assign(*value);
  } else {
    node.value.emplace(*value);
  }
  bytes_ += weight(node);
}

void RowCache::pin(Node& node, Seq seq) {
  HF_CHECK(seq > Seq(0) && node.pinned_until <= seq, "sequences never go back");
  if (node.pinned_until == seq) return;
  if (node.pinned_until == Seq(0)) {
    if (node.held == 0) unlink_unused(node);
    ++pinned_;
  }
  node.pinned_until = seq;
  pins_.emplace_back(seq, &node);
}

void RowCache::append_unused(Node& node) {
  node.older = newest_;
  node.newer = nullptr;
  (newest_ ? newest_->newer : oldest_) = &node;
  newest_ = &node;
  ++unused_rows_;
  unused_bytes_ += weight(node);
}

void RowCache::unlink_unused(Node& node) {
  (node.older ? node.older->newer : oldest_) = node.newer;
  (node.newer ? node.newer->older : newest_) = node.older;
  node.older = node.newer = nullptr;
  --unused_rows_;
  unused_bytes_ -= weight(node);
}

void RowCache::link_group(Node& node) {
  node.group = &*groups_.try_emplace(group_of(*node.key)).first;
  Group& group = node.group->second;
  node.group_after = group.first;
  if (group.first) group.first->group_before = &node;
  group.first = &node;
}

void RowCache::unlink_group(Node& node) {
  (node.group_before ? node.group_before->group_after : node.group->second.first) = node.group_after;
  if (node.group_after) node.group_after->group_before = node.group_before;
  drop_group_if_empty(node.group->first);
}

void RowCache::drop_group_if_empty(std::uint64_t group) {
  const auto found = groups_.find(group);
  if (found != groups_.end() && !found->second.first && found->second.ranges == 0) groups_.erase(found);
}

void RowCache::erase(Node& node) {
  bytes_ -= weight(node);
  unlink_unused(node);
  unlink_group(node);
  rows_.erase(rows_.find(*node.key));
}

bool RowCache::in_removed_range(std::string_view key) const {
  if (ranges_.empty()) return false;
  if (wide_ranges_ == 0) {
    const auto group = groups_.find(group_of(key));
    if (group == groups_.end() || group->second.ranges == 0) return false;
  }
  for (const RemovedRange& range : ranges_)
    if (range.covers(key)) return true;
  return false;
}

void RowCache::evict() {
  Node* node = oldest_;
  while (node && bytes_ > bytes_max_ && unused_rows_ > kRowsKept && unused_bytes_ > bytes_max_ / 4) {
    Node* const next = node->newer;
    if (loading_.empty() || loading_.find(*node->key) == loading_.end()) erase(*node);
    node = next;
  }
}

}  // namespace holdfast
