/// What a storm's sessions have not seen: groups of some fifty users each, in which a writer of its own posts.
///
/// Groups, since what they put into each member's inbox is the same as what as many direct conversations would, and a
/// backlog of millions of rows is made in seconds.
#pragma once

#include <memory>
#include <vector>

#include "net/task_group.h"
#include "tools/holdfast-load/session.h"

namespace holdfast::load {

/// Owned by a scenario; destroyed after its sessions and outside of callbacks.
class Backlog final : public SessionEvents {
 public:
  explicit Backlog(Workplace& place) : place_(place), tasks_(place.executor()) {}

  /// Groups for these sessions, which have been provisioned; `users` are theirs.
  Awaitable<Status> make_groups(const std::vector<std::unique_ptr<Session>>& sessions, std::vector<UserId> users);
  /// The plan's `behind` messages in each group, as fast as they are taken; all of them are acknowledged then.
  Awaitable<Status> post_all();
  /// The same spread evenly over this time, while other things happen.
  void post_over(std::chrono::duration<double> time);
  /// Everybody was shown everything; false if that took too long.
  Awaitable<bool> shown(std::chrono::duration<double> max);
  /// Everything has been posted and acknowledged; false if that took too long.
  Awaitable<bool> posted(std::chrono::duration<double> max);
  void count_in(MessageFigures* figures);

  /// The group that the session (by its place in make_groups) is in, and who it is there; null without a backlog.
  Talk* talk_of(std::size_t session) const;
  static std::size_t viewer_of(std::size_t session) { return 1 + session % kGroupUsers; }

  void close_writers();
  void finish();

 private:
  static constexpr std::size_t kGroupUsers = 50;
  struct Group {
    std::unique_ptr<Talk> talk;
    std::unique_ptr<Session> writer;
  };

  std::size_t open_groups() const;

  Workplace& place_;
  TaskGroup tasks_;
  std::vector<Group> groups_;
};

}  // namespace holdfast::load
