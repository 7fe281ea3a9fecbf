/// Short ways to write clients' requests in tests.
#pragma once

#include <string>
#include <vector>

#include "base/ids.h"
#include "proto/client.pb.h"

namespace holdfast::requests {

v1::ClientFrame open_direct(const UserId& user);
v1::ClientFrame create_group(const std::string& title, const std::vector<UserId>& members);
v1::ClientFrame post(const std::string& conversation, const std::string& body);
v1::ClientFrame edit(const std::string& conversation, std::uint64_t number, const std::string& body);
v1::ClientFrame remove(const std::string& conversation, std::uint64_t number);
v1::ClientFrame react(const std::string& conversation, std::uint64_t number, const std::string& reaction);
v1::ClientFrame rename_group(const std::string& conversation, const std::string& title);
v1::ClientFrame add_member(const std::string& conversation, const UserId& user);
v1::ClientFrame remove_member(const std::string& conversation, const UserId& user);
v1::ClientFrame leave(const std::string& conversation);
v1::ClientFrame set_role(const std::string& conversation, const UserId& user, v1::Role role);
v1::ClientFrame mark(const std::string& conversation, std::uint64_t read);
v1::ClientFrame mute(const std::string& conversation, bool muted);
v1::ClientFrame block(const UserId& user, bool blocked);
v1::ClientFrame change_password(const std::string& from, const std::string& to);
v1::ClientFrame delete_account(const std::string& password);
v1::ClientFrame revoke(const SessionId& session);
v1::ClientFrame log_out();
v1::ClientFrame typing(const std::string& conversation);
v1::ClientFrame history(const std::string& conversation, std::uint64_t from, std::uint32_t limit);
v1::ClientFrame list_conversations();

}  // namespace holdfast::requests
