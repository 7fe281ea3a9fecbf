/// What clients saw of a run, and what the log says happened: plain data, so that a test of the checker can spoil it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "proto/client.pb.h"

namespace holdfast {

struct History {
  /// One item that a device took over, in the order in which it did.
  struct Shown {
    std::uint64_t position = 0;
    ConversationId conversation;
    std::uint64_t number = 0;  ///< of the change; for a head, how far the conversation is
    bool head = false;
    std::string content;  ///< the change as it came; empty for references, heads and what is hidden
  };
  /// A session, as the client that has it sees it.
  struct Device {
    std::string name;
    UserId user;
    std::uint64_t start = 0;  ///< inbox position at log-in
    bool live = true;         ///< at the end: it must have seen everything
    std::vector<Shown> shown;
  };
  struct Post {
    ConversationId conversation;
    UserId author;
    std::string client_message_id;
    std::optional<std::uint64_t> number;  ///< acknowledged as; 0: refused for good; nothing: never answered
    bool put_off = false;                 ///< refused for a while, or perhaps: it may have been overtaken
    bool resent = false;                  ///< on another connection
    std::string device;                   ///< of those of its author
  };
  /// A row of a user's inbox, or a head that was put in its order.
  struct InboxRow {
    std::uint64_t position = 0;
    ConversationId conversation;
    std::uint64_t number = 0;
    bool head = false;
  };
  struct Interval {
    std::uint64_t joined = 0;
    std::uint64_t left = 0;  ///< 0: never
  };
  struct Conversation {
    std::vector<v1::Change> changes;                  ///< as they were committed
    std::map<UserId, std::vector<Interval>> members;  ///< of accounts that stand at the end
  };

  std::vector<Device> devices;
  std::vector<Post> posts;                          ///< in the order in which each device sent them
  std::map<UserId, std::vector<InboxRow>> inboxes;  ///< of accounts that stand at the end
  std::map<ConversationId, Conversation> conversations;
  /// How many requests for edits, deletions and the like were made, by what change they lead to: at most one each.
  std::map<std::pair<ConversationId, v1::Change::WhatCase>, std::size_t> asked;
  std::vector<std::string> complaints;  ///< of clients, at the moment: an item twice on one connection, a lost session
};

/// Counts it among what was asked for, if it leads to a change other than a post.
void note_asked(History& history, const v1::ClientFrame& frame);

}  // namespace holdfast
