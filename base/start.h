/// What every program of ours does first: libsodium ready, broken pipes are errors and not signals.
#pragma once

namespace holdfast {
void start_process();
}
