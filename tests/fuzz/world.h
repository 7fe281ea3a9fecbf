/// A small world for fuzzing what clients ask: real flows and rules over maps, three users, a group and a direct
/// conversation with some messages. The same for every input.
///
/// Ids and tokens are 16 bytes and more, which mutation does not hit upon: so where a request has an id of one byte,
/// expand() puts the known one of that number in its place.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "proto/client.pb.h"
#include "tests/support/fake_backend.h"

namespace holdfast::fuzz {

class World {
 public:
  World();

  chat::FakeBackend& backend() { return *backend_; }
  /// Who asks: one of three users, an operator, or nobody.
  chat::Caller caller(std::uint8_t which) const;
  void expand(v1::ClientFrame& frame) const;

 private:
  std::unique_ptr<chat::FakeBackend> backend_;
};

/// CHECKs what holds for every answer: it says something, errors are typed and explained, and it fits into a frame.
void check_answer(const v1::ServerFrame& answer);

}  // namespace holdfast::fuzz
