/// Messages that nobody has read become due as mails, all at once: what that takes, and what chat notices of it.
#pragma once

#include <filesystem>
#include <string>

#include "tests/bench/server.h"
#include "tests/bench/unread.h"

namespace holdfast::bench {

struct MailsOptions {
  std::filesystem::path folder;  ///< where the data directory is made
  Unread unread;
  Seconds delay{60};    ///< of the fallback: longer than writing the messages takes
  double rate = 1'000;  ///< live messages a second, before, meanwhile and afterwards
  Seconds load{5};      ///< of each run of those
};

struct MailsMeasured {
  std::size_t mails = 0, messages = 0;
  Seconds until_first{}, until_last{};  ///< from the start of the server, whose timers are all over
  Seconds server_cpu{};                 ///< meanwhile, live chat included
  double memory_before = 0, memory_most = 0, memory_after = 0;  ///< bytes, resident
  Server::LoadFigures before, after;                            ///< live chat: the medians
  Server::LoadFigures meanwhile;
  double meanwhile_worst_p99_ms = 0;
  std::size_t runs_meanwhile = 0;
};

MailsMeasured measure_mails(const MailsOptions& options);
std::string to_text(const MailsMeasured& measured, const MailsOptions& options);
/// `holdfast-bench mails …`: the exit code.
int run_mails(int argc, char** argv);

}  // namespace holdfast::bench
