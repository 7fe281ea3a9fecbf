/// The admin pages' answers, gathered from the cluster's thread and the workers.
#pragma once

#include "server/engine.h"
#include "server/gateway/admission.h"
#include "server/http/admin_pages.h"

namespace holdfast {

/// Engine and admission outlive every call. A node that is alone has copies; what is of a cluster is answered not_found.
http::AdminParts admin_parts(Engine& engine, const gateway::Admission& admission);

}  // namespace holdfast
