#include "tests/tree/include_rules.h"

#include <algorithm>
#include <array>
#include <optional>

namespace holdfast::tree {
namespace {

struct Folder {
  std::string_view path;
  int rank;          ///< may include what has a lower one, and itself
  bool without_net;  ///< … but not net
};

constexpr int kAnything = 100;

// A file belongs to the longest path that it begins with.
constexpr std::array kFolders = {
    Folder{"base/", 0, false},
    Folder{"proto/", 1, false},
    Folder{"net/", 2, false},
    Folder{"storage/", 3, true},
    Folder{"failover/", 4, true},
    Folder{"failover/io/", 5, false},
    Folder{"server/mail/", 6, true},
    Folder{"server/chat/", 7, false},
    Folder{"server/bus/", 8, false},
    Folder{"server/services/", 9, false},
    Folder{"server/gateway/", 10, false},
    Folder{"server/http/", 10, false},
    Folder{"server/lmtp/", 10, false},
    Folder{"docs/examples/", 10, false},
    Folder{"server/", 11, false},
    Folder{"clients/", 3, false},  // net and what is left of it; nobody but tools and tests includes it
    Folder{"tools/", kAnything, false},
    Folder{"tests/", kAnything, false},
};

const Folder* folder_of(std::string_view path) {
  const Folder* best = nullptr;
  for (const Folder& folder : kFolders) {
    if (path.starts_with(folder.path) && (best == nullptr || folder.path.size() > best->path.size())) best = &folder;
  }
  return best;
}

struct Include {
  std::string_view path;
  bool quoted;
};

std::optional<Include> parse_include(std::string_view line) {
  const auto skip_blanks = [&line] { line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size())); };
  skip_blanks();
  if (!line.starts_with('#')) return std::nullopt;
  line.remove_prefix(1);
  skip_blanks();
  if (!line.starts_with("include")) return std::nullopt;
  line.remove_prefix(7);
  skip_blanks();
  if (line.empty() || (line[0] != '"' && line[0] != '<')) return std::nullopt;
  const bool quoted = line[0] == '"';
  const auto end = line.find(quoted ? '"' : '>', 1);
  if (end == std::string_view::npos) return std::nullopt;
  return Include{line.substr(1, end - 1), quoted};
}

std::string wrong_direction(std::string_view file, std::string_view included) {
  const Folder* from = folder_of(file);
  const Folder* to = folder_of(included);
  const std::string name(included);
  if (from == nullptr) return "this folder has no place in the order of the tree (tests/tree/include_rules.cc)";
  if (from->rank == kAnything) return {};
  if (to == nullptr) return "\"" + name + "\" is not a path from the root into one of our folders";
  if (from == to) return {};
  if (included == "net/http_wire.h") return "net/http_wire.h includes Beast: it is for net/ alone";
  if (from->without_net && to->path == "net/") return std::string(from->path) + " does not use net: " + name;
  if (to->path == "clients/" || to->rank >= from->rank) {
    return std::string(from->path) + " may not include " + name + ": includes go leftwards only";
  }
  return {};
}

std::string wrong_library(std::string_view file, std::string_view included) {
  if (included == "boost/asio.hpp") return "all of Asio takes 18 s to compile: include the headers that are used";
  if (included.starts_with("boost/beast") && !file.starts_with("net/http") && file != "net/websocket.cc")
    return "Beast costs up to 45 s and 1.2 GiB a file: it stays behind net/http.h and net/websocket.h";
  const bool may_use_rocksdb =
      file.starts_with("storage/") || file.starts_with("tests/storage/") || file.starts_with("tests/bench/");
  if (included.starts_with("curl/") && !file.starts_with("server/mail/"))
    return "libcurl stays behind server/mail/mailer.h";
  if (included.starts_with("rocksdb/") && !may_use_rocksdb) {
    return "RocksDB stays behind storage/database.h";
  }
  return {};
}

}  // namespace

std::vector<Violation> check_includes(std::string_view file, std::string_view text) {
  std::vector<Violation> violations;
  for (int number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    if (const auto include = parse_include(text.substr(0, end))) {
      std::string why = include->quoted ? wrong_direction(file, include->path) : wrong_library(file, include->path);
      if (!why.empty()) violations.push_back({std::string(file), number, std::move(why)});
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return violations;
}

}  // namespace holdfast::tree
