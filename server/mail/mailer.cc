#include "server/mail/mailer.h"

#include <spdlog/spdlog.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "base/seam.h"
#include "server/mail/relay_order.h"
#include "server/mail/seams.h"
#include "server/mail/smtp_client.h"

namespace holdfast::mail {
namespace {

constexpr std::chrono::seconds kStopGrace{5};

/// It did not answer, broke off, could not be trusted, or is about to go (421): the next mail had better go elsewhere.
bool is_ill(const Sent& sent) { return sent.outcome == Outcome::later && (sent.code == 0 || sent.code == 421); }

}  // namespace

class Mailer::Impl {
 public:
  Impl(MailerOptions options, std::unique_ptr<Outbox> outbox)
      : options_(std::move(options)), outbox_(std::move(outbox)), order_(options_.relays.size()) {
    const unsigned threads = outbox_ ? 1 : options_.connections;
    for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
  }

  bool send(Mail mail, std::function<void(Sent)> then, IsOurs is_ours) {
    {
      const std::lock_guard lock(mutex_);
      if (!room()) return false;
      waiting_.push_back({std::move(mail), std::move(then), std::move(is_ours), steady_now()});
    }
    has_work_.notify_one();
    return true;
  }

  bool has_room() const {
    const std::lock_guard lock(mutex_);
    return room();
  }

  MailerFigures figures() const {
    const std::lock_guard lock(mutex_);
    MailerFigures now = figures_;
    now.queued = waiting_.size() + under_way_;
    return now;
  }

  void stop() {
    std::deque<Job> left;
    {
      std::unique_lock lock(mutex_);
      is_stopped_ = true;
      left.swap(waiting_);
      has_work_.notify_all();
      is_quiet_.wait_for(lock, kStopGrace, [this] { return under_way_ == 0; });
    }
    give_up_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    for (Job& job : left) answer(job, {Outcome::unoffered, 0, "the mailer was stopped"});
  }

 private:
  struct Job {
    Mail mail;
    std::function<void(Sent)> then;
    IsOurs is_ours;
    SteadyTime since;
  };

  bool room() const { return !is_stopped_ && waiting_.size() < options_.queue_max; }

  void run() {
    SmtpClient client({options_.ca_file, options_.helo, options_.timeout}, give_up_);
    while (std::optional<Job> job = take()) {
      answer(*job, carry_out(client, *job));
      const std::lock_guard lock(mutex_);
      --under_way_;
      is_quiet_.notify_all();
    }
  }

  std::optional<Job> take() {
    std::unique_lock lock(mutex_);
    has_work_.wait(lock, [this] { return is_stopped_ || !waiting_.empty(); });
    if (is_stopped_) return std::nullopt;
    std::optional<Job> job = std::move(waiting_.front());
    waiting_.pop_front();
    ++under_way_;
    return job;
  }

  Sent carry_out(SmtpClient& client, const Job& job) {
    if (steady_now() - job.since >= options_.wait_max) return {Outcome::unoffered, 0, "it waited too long"};
    if (job.is_ours && !job.is_ours()) return {Outcome::unoffered, 0, "another node sends it"};
    return outbox_ ? keep(job.mail) : offer(client, job.mail);
  }

  void answer(Job& job, Sent sent) {
    {
      const std::lock_guard lock(mutex_);
      ++(sent.outcome == Outcome::sent    ? figures_.sent
         : sent.outcome == Outcome::never ? figures_.never
                                          : figures_.later);
    }
    job.then(std::move(sent));
  }

  Sent keep(const Mail& mail) {
    const auto file = outbox_->write(mail);
    if (file) return {Outcome::sent, 0, ""};
    spdlog::error("outbox_write_failed why=\"{}\"", file.error().message);
    return {Outcome::later, 0, file.error().message};
  }

  Sent offer(SmtpClient& client, const Mail& mail) {
    Sent last{Outcome::later, 0, "there is no relay"};
    for (const std::size_t index : order()) {
      pass_seam(seams::kOffered);
      Attempt attempt = client.offer(options_.relays[index], mail);
      if (attempt.sent.outcome == Outcome::sent) pass_seam(seams::kTaken);
      note(index, attempt);
      if (!attempt.may_go_elsewhere) return std::move(attempt.sent);
      last = std::move(attempt.sent);
    }
    return last;
  }

  std::vector<std::size_t> order() const {
    const std::lock_guard lock(mutex_);
    return order_.at(steady_now());
  }

  void note(std::size_t index, const Attempt& attempt) {
    {
      const std::lock_guard lock(mutex_);
      if (is_ill(attempt.sent))
        order_.note_ill(index, steady_now());
      else
        order_.note_well(index);
    }
    if (attempt.sent.outcome == Outcome::sent) return;
    spdlog::warn("mail_not_taken relay={} outcome={} code={} why=\"{}\"", options_.relays[index].name(),
                 name_of(attempt.sent.outcome), attempt.sent.code, attempt.sent.text);
  }

  const MailerOptions options_;
  const std::unique_ptr<Outbox> outbox_;  ///< null: there are relays
  std::atomic<bool> give_up_ = false;

  mutable std::mutex mutex_;
  std::condition_variable has_work_, is_quiet_;
  // Under mutex_.
  std::deque<Job> waiting_;
  std::size_t under_way_ = 0;
  bool is_stopped_ = false;
  MailerFigures figures_;
  RelayOrder order_;

  std::vector<std::thread> threads_;  ///< last: they use all of the above
};

Result<std::unique_ptr<Mailer>> Mailer::start(MailerOptions options) {
  HF_CHECK(options.connections > 0 && options.queue_max > 0, "the options were checked");
  std::unique_ptr<Outbox> outbox;
  if (options.relays.empty()) {
    auto opened = Outbox::open(options.outbox);
    if (!opened) return opened.error();
    outbox = std::move(*opened);
    spdlog::warn("mail_goes_to_files directory={} why=no_relay_is_configured", options.outbox.directory.string());
  }
  for (const Relay& relay : options.relays) spdlog::info("mail_relay name={}", relay.name());
  auto impl = std::make_unique<Impl>(std::move(options), std::move(outbox));
  return std::unique_ptr<Mailer>(new Mailer(std::move(impl)));
}

Mailer::Mailer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Mailer::~Mailer() { stop(); }
bool Mailer::send(Mail mail, std::function<void(Sent)> then, IsOurs is_ours) {
  return impl_->send(std::move(mail), std::move(then), std::move(is_ours));
}
bool Mailer::has_room() const { return impl_->has_room(); }
MailerFigures Mailer::figures() const { return impl_->figures(); }
void Mailer::stop() { impl_->stop(); }

}  // namespace holdfast::mail
