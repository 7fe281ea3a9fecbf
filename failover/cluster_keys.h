/// The rows of the configuration store that a cluster has one of each. A node that is alone has them in its own store.
#pragma once

namespace holdfast::failover {

inline constexpr const char* kPartitionsKey = "cluster/partitions";  ///< decimal
inline constexpr const char* kUuidKey = "cluster/uuid";              ///< 32 hex digits
inline constexpr const char* kGenerationKey = "cluster/generation";  ///< Generation; none: never restored
inline constexpr const char* kTokenKeysKey = "keys/token";           ///< chat::TokenKeys
inline constexpr const char* kMailKeyKey = "keys/mail";              ///< chat::MailKey

}  // namespace holdfast::failover
