/// One conversation of a load: one session writes, all are checked.
#pragma once

#include <optional>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "proto/client.pb.h"
#include "tools/holdfast-load/ledger.h"
#include "tools/holdfast-load/message_figures.h"

namespace holdfast::load {

class Session;

/// Owned by a scenario, outlives the sessions that look at it; one thread. Refused and damaged messages are errors in
/// the tally; refusals for the moment are counted there, as put_off.
class Talk {
 public:
  /// `index` distinguishes the talks of a run: a message of another one is a damaged one here.
  Talk(Tally& tally, std::uint32_t index, std::uint32_t body_bytes, std::size_t viewers)
      : tally_(tally), index_(index), body_bytes_(body_bytes), ledger_(viewers) {}

  /// Where what is sent and shown from now on is counted; null: nowhere. Outlives the talk, or its being set.
  void count_in(MessageFigures* figures) { figures_ = figures; }
  void opened(const ConversationId& conversation) { conversation_ = conversation; }
  /// Its writer is in another process: viewer 0, who else is the writer, is a reader like the others.
  void written_elsewhere() { writer_is_viewer_0_ = false; }
  bool is_open() const { return !conversation_.is_zero(); }
  const ConversationId& conversation() const { return conversation_; }

  /// One message by this session, which was to go at `planned`. After opened().
  void send(Session& writer, SteadyTime planned);
  /// A viewer's change. True if it is a message that this viewer was not shown before.
  bool shown(std::size_t viewer, const v1::Change& change);

  Ledger& ledger() { return ledger_; }
  const Ledger& ledger() const { return ledger_; }
  std::uint32_t index() const { return index_; }
  std::uint64_t newest_number() const { return newest_number_; }  ///< that anybody was shown or told of
  /// What the server refused for the moment, and then took: others may have overtaken it.
  const std::vector<std::uint64_t>& put_off() const { return put_off_; }

 private:
  void on_sent(std::uint64_t sequence, std::uint64_t number);
  void put_off(std::uint64_t sequence, std::uint32_t how_often);

  Tally& tally_;
  const std::uint32_t index_;
  const std::uint32_t body_bytes_;
  ConversationId conversation_;
  Ledger ledger_;
  MessageFigures* figures_ = nullptr;
  bool writer_is_viewer_0_ = true;
  std::uint64_t newest_number_ = 0;
  std::vector<std::uint64_t> put_off_;
};

}  // namespace holdfast::load
