/// Whom a load is put on, and how its users are made there.
#pragma once

#include <string>
#include <vector>

#include "clients/cpp/client.h"

namespace holdfast::load {

struct Target {
  std::vector<client::Endpoint> endpoints;
  client::Trust trust;
  std::string operator_key_file = "data/operator.key";
};

}  // namespace holdfast::load
