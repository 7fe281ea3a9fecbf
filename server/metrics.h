/// What /metrics says of a node: the figures of its parts, under their names for Prometheus.
#pragma once

#include "server/engine.h"
#include "server/gateway/admission.h"
#include "server/http/metrics.h"
#include "server/mail/mailer.h"

namespace holdfast {

/// Any thread; reads what the parts published last (workers: at most 100 ms ago).
void collect_metrics(Engine& engine, const gateway::Admission& admission, const mail::MailerFigures& mails,
                     http::Metrics& metrics);

/// How many partitions serve; all of them: ready.
std::size_t open_partitions(Engine& engine);

}  // namespace holdfast
