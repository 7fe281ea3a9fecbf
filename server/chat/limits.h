/// Every bound of chat, with its unit. Configurable ones come from holdfast.toml.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace holdfast::chat {

/// Messages that reach no device are mailed: what holds unless the user chose otherwise, and for all.
struct FallbackLimits {
  enum class Mode : std::uint8_t { off, notice, content };
  bool enabled = true;
  Mode mode = Mode::content;
  std::chrono::seconds delay{600};  ///< a message waits so long for a device that acknowledges it
  std::uint32_t mails_of_a_day_max = 20;
  std::chrono::hours reply_good_for{14 * 24};  ///< answers to a mail are taken
};

/// How exactly the audit journal keeps where somebody came from.
enum class AuditAddresses : std::uint8_t {
  full,
  network,  ///< the first 24 bits of IPv4, the first 48 of IPv6
  none,
};

struct Limits {
  std::size_t body_bytes_max = 64 << 10;
  std::size_t content_type_bytes_max = 128;
  std::size_t username_bytes_max = 64;
  std::size_t password_bytes_min = 8;
  std::size_t password_bytes_max = 1024;
  std::size_t email_bytes_max = 254;  ///< RFC 5321
  std::size_t device_name_bytes_max = 128;
  std::size_t title_bytes_max = 256;
  std::size_t reaction_bytes_max = 64;
  std::size_t reactions_of_a_post_max = 256;
  std::size_t edits_of_a_post_max = 64;
  std::size_t group_members_max = 10'000;
  std::size_t group_admins_max = 100;
  std::size_t members_of_a_request_max = 100;
  std::size_t large_group_above = 1'000;  ///< members: from here on heads instead of rows
  std::size_t large_group_back_at = 900;
  std::size_t whole_members_max = 100;    ///< changes stand whole in inboxes up to this many members …
  std::size_t whole_bytes_max = 1 << 10;  ///< … and this many bytes; as references beyond
  std::size_t inbox_rows_max = 100'000;
  std::chrono::hours inbox_age_max{30 * 24};
  std::size_t inbox_trim_rows = 256;  ///< acknowledged rows are removed this many at a time
  std::size_t sessions_of_a_user_max = 64;
  std::size_t blocks_max = 1'000;
  std::size_t history_page_max = 500;
  std::size_t list_page_max = 200;
  std::size_t members_page_max = 1'000;
  std::size_t presence_members_max = 200;
  std::size_t positions_audience_max = 100;

  std::chrono::hours request_id_age_max{7 * 24};
  std::chrono::minutes request_id_ahead_max{10};
  std::chrono::hours session_unused_max{60 * 24};
  std::chrono::hours token_age_max{7 * 24};   ///< a live session's token is replaced beyond this
  std::chrono::seconds superseded_grace{60};  ///< a superseded token used within this is a retry, not theft
  std::uint32_t login_failures_free = 3;      ///< from here on each failure doubles the wait, from one second
  std::uint32_t login_failures_lock = 10;
  std::chrono::minutes login_lock{15};
  std::chrono::hours login_failures_forgotten{1};
  FallbackLimits fallback;
  std::uint32_t due_per_s = 500;  ///< timers that a node runs: mails that become due, secrets whose time is over

  bool owner_mails_enabled = true;  ///< about what happened to an account
  bool resets_enabled = true;       ///< by mailed links
  std::chrono::minutes reset_lifetime{30};
  std::chrono::hours verification_lifetime{24};
  std::chrono::hours recovery_lifetime{24};
  std::size_t resets_asked_max = 5;             ///< for an account, and by an address, in secrets_window
  std::size_t verifications_asked_max = 5;      ///< again, by the owner
  std::chrono::hours secrets_window{1};         ///< also the least time between two mails about a lock
  std::uint32_t strangers_per_s = 50;           ///< requests without a session that lead to mails, for the node
  std::size_t users_of_an_address_max = 16;     ///< who verified the same one and can be found by it
  std::chrono::minutes login_failures_told{1};  ///< at most one event of a name within it; it counts the others

  bool incidents_enabled = true;
  std::chrono::seconds incident_resume_bound{60};  ///< a node's clients come back within it, or are affected
  std::chrono::seconds incident_mail_delay{60};    ///< messages for affected users are mailed after this
  std::chrono::minutes incident_ends_after{15};    ///< one that nobody declared

  bool audit_enabled = true;
  std::chrono::hours audit_keep{365 * 24};
  AuditAddresses audit_addresses = AuditAddresses::full;
};

}  // namespace holdfast::chat
