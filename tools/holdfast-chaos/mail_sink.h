/// The relay of a run: a mail server that keeps every mail, for H11.
///
/// SMTP in plain text, in a thread of its own, which is in the network namespace of the thread that makes it. Each mail
/// stands in the file before it is answered. So that mails die on their way, and wait while their readers come and go:
/// answers take up to a quarter of a second, and one mail in four is told to come again (451) at its first two comings.
///
///     file = *( "mail " offered " " taken " " ( "taken" / "refused" ) " " bytes LF mail LF )    ; moments in microseconds
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "tools/holdfast-chaos/mail_reading.h"

namespace holdfast::chaos {

struct MailSinkOptions {
  std::string address;         ///< to listen on
  std::filesystem::path file;  ///< begun anew
  SteadyTime began;            ///< moment 0
  std::uint64_t seed = 1;      ///< of what is refused, and of how long answers take
};

/// One mail that was offered, whole.
struct OfferedMail {
  std::int64_t offered = 0, taken = 0;
  bool refused = false;
  Result<MailText> text;
};

/// Owned by Stage. All calls from its owner's thread.
class MailSink {
 public:
  /// Fails with io: the file, or the address.
  static Result<std::unique_ptr<MailSink>> open(const MailSinkOptions& options);
  /// Ends its thread; what comes then is not taken.
  ~MailSink();
  MailSink(const MailSink&) = delete;
  MailSink& operator=(const MailSink&) = delete;

  std::string url() const;  ///< smtp://host:port
  /// From now on every mail is taken when it comes.
  void refuse_no_more();
  /// So far, in the order in which they came.
  std::vector<OfferedMail> mails() const;

 private:
  struct Impl;
  explicit MailSink(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::chaos
