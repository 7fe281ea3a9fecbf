/// UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, then random. Sorts by time.
#pragma once

#include <optional>

#include "base/ids.h"
#include "base/random.h"
#include "base/time.h"

namespace holdfast {

RequestId make_uuid7(WallTime now, Random& random);
/// The same, but above `last`, also within a millisecond (RFC 9562, 6.2, method 2), unless the clock went back by more
/// than a second since. Ids that rise cost the server no look-up.
RequestId make_uuid7_above(const RequestId& last, WallTime now, Random& random);
/// When the id was made, by its maker's clock.
WallTime time_of(const RequestId& id);
/// Version 7 and the RFC's variant.
bool is_uuid7(const RequestId& id);

}  // namespace holdfast
