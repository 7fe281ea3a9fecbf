/// Flows of operators' waves of resets: over all partitions, summed up.
#pragma once

#include "server/chat/flow.h"

namespace holdfast::services {

Task<chat::RequestOutcome> start_reset_wave(chat::FlowRequest request);
Task<chat::RequestOutcome> get_reset_wave(chat::FlowRequest request);

}  // namespace holdfast::services
