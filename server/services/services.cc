#include "server/services/services.h"

#include "server/services/account_mail.h"
#include "server/services/audit.h"
#include "server/services/delivery.h"
#include "server/services/fallback.h"
#include "server/services/incidents.h"

namespace holdfast::services {
namespace {

/// One that is switched off: it goes along with the log, so that nothing of the past is caught up with once it is on again.
class Off final : public bus::Subscriber {
 public:
  explicit Off(std::unique_ptr<bus::Subscriber> which) : which_(std::move(which)) {}
  std::string_view name() const override { return which_->name(); }
  void on_event(const bus::EventAt&, chat::View&, bus::Outcome&) const override {}

 private:
  const std::unique_ptr<bus::Subscriber> which_;
};

std::unique_ptr<bus::Subscriber> if_on(bool on, std::unique_ptr<bus::Subscriber> which) {
  return on ? std::move(which) : std::make_unique<Off>(std::move(which));
}

}  // namespace

Services::Services(const chat::Limits& limits) {
  subscribers_.push_back(std::make_unique<Delivery>(limits));
  subscribers_.push_back(std::make_unique<Fallback>());  // with settings of each user; off by their rules
  subscribers_.push_back(std::make_unique<AccountMail>());
  subscribers_.push_back(if_on(limits.audit_enabled, std::make_unique<Audit>()));
  subscribers_.push_back(if_on(limits.incidents_enabled, std::make_unique<Incidents>()));
}

}  // namespace holdfast::services
