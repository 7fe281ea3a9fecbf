#include "server/services/services.h"

#include "server/services/account_mail.h"
#include "server/services/audit.h"
#include "server/services/delivery.h"
#include "server/services/fallback.h"
#include "server/services/incidents.h"

namespace holdfast::services {

Services::Services(const chat::Limits& limits) {
  subscribers_.push_back(std::make_unique<Delivery>(limits));
  subscribers_.push_back(std::make_unique<Fallback>());
  subscribers_.push_back(std::make_unique<AccountMail>());
  subscribers_.push_back(std::make_unique<Audit>());
  subscribers_.push_back(std::make_unique<Incidents>());
}

}  // namespace holdfast::services
