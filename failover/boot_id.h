/// One life of a node's process: drawn anew at each start.
#pragma once

#include "base/ids.h"

namespace holdfast {
using BootId = Id<struct BootTag>;
}
