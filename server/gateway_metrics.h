/// The gateways' figures as metrics.
#pragma once

#include <vector>

#include "server/gateway/gateway.h"
#include "server/http/metrics.h"

namespace holdfast {

/// The sum over the workers.
void add_gateway_metrics(http::Metrics& metrics, const std::vector<gateway::GatewayFigures>& of_workers);

}  // namespace holdfast
