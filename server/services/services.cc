#include "server/services/services.h"

#include "server/services/account_mail.h"
#include "server/services/delivery.h"
#include "server/services/fallback.h"

namespace holdfast::services {

Services::Services(const chat::Limits& limits) {
  subscribers_.push_back(std::make_unique<Delivery>(limits));
  subscribers_.push_back(std::make_unique<Fallback>());
  subscribers_.push_back(std::make_unique<AccountMail>());
}

}  // namespace holdfast::services
