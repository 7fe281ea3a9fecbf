#include "server/services/incident_mail.h"

#include "server/services/unsubscribe.h"

namespace holdfast::services {
namespace {

Task<Addition> assemble(std::string url) {
  Addition addition;
  addition.unsubscribe_url = std::move(url);
  co_return addition;
}

}  // namespace

Assemble assemble_incident(std::string base_url) {
  return [base_url = std::move(base_url)](chat::Backend& backend, const chat::BeginIntent& intent) {
    return assemble(unsubscribe_url(base_url, backend.mail_key(), intent.user));
  };
}

}  // namespace holdfast::services
