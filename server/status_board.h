/// What a node knows of incidents, kept for the status page; and how operators change them.
///
/// Owned by Node, outlives the engine's threads. look() about once a second asks partition 0, wherever that is led; what
/// was read last is shown when it can't be. figures() answers from memory: a storm of readers asks nobody. Any thread.
#pragma once

#include <mutex>

#include "server/engine.h"
#include "server/http/admin_pages.h"
#include "server/http/status_page.h"

namespace holdfast {

class StatusBoard {
 public:
  explicit StatusBoard(Engine& engine) : engine_(engine) {}
  void look();
  http::StatusFigures figures() const;

 private:
  void take(const command::Answer& answer);
  void count_unserved();

  Engine& engine_;
  mutable std::mutex mutex_;
  http::StatusFigures known_;  ///< under mutex_
  bool asking_ = false;        ///< under mutex_
};

/// Has it changed in partition 0. Errc::in_use: there is one, or there is none.
void change_incident(Engine& engine, const http::IncidentRequest& request, http::Then<Status> then);

}  // namespace holdfast
