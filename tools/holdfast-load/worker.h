/// The worker's side of a run: takes a plan from a conductor, does the steps it is told, says how it goes.
///
///     conductor: {"plan": {…}, "index": n, "of": n, "sources": [text …]}       ; first
///                {"begin": true}                                               ; what curves count from is now
///                {"step": name, "found": {name: [text …]}}                     ; when the one before is done
///                {"fault": true}                                               ; something is about to be broken
///                {"finish": true}                                              ; last
///     worker:    {"say": text}  {"tick": {name: n}}                            ; now and then
///                {"done": name, "found": {name: [text …]}}  {"failed": text}   ; of a step, or of the plan
///                {"tally": {…}}                                                ; last
#pragma once

#include <cstdint>
#include <string>

namespace holdfast::load {

struct WorkerOptions {
  std::string operator_key_file = "data/operator.key";
  std::string listen;           ///< HOST:PORT: serves conductors that come there, each in a process of its own
  std::uint16_t conductor = 0;  ///< or serves the one at this port of 127.0.0.1, and ends
};

/// Returns the exit code; with `listen` only if that can't be done.
int run_worker(const WorkerOptions& options);

}  // namespace holdfast::load
