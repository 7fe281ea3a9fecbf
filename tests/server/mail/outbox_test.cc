#include "server/mail/outbox.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "tests/storage/temp_directory.h"

namespace holdfast::mail {
namespace {

namespace fs = std::filesystem;

Mail mail(int number, std::size_t bytes = 10) {
  return {*Address::parse("a@x"), *Address::parse("b@x"), message_id_of("m" + std::to_string(number), "x"),
          from_ms(1'000 * number), std::string(bytes, 't')};
}

std::unique_ptr<Outbox> open(OutboxOptions options) {
  auto outbox = Outbox::open(std::move(options));
  REQUIRE(outbox);
  return std::move(*outbox);
}

std::string write(Outbox& outbox, const Mail& what) {
  const auto path = outbox.write(what);
  REQUIRE(path);
  return *path;
}

std::size_t files_in(const fs::path& directory) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

std::string contents(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("Outbox: a mail is a file of its own, for its owner only, named by date and id") {
  const TempDirectory folder;
  const auto outbox = open({folder / "deep/outbox"});
  const fs::path path = write(*outbox, mail(1));
  CHECK(path.filename() == "19700101T000001.000Z-6d31.eml");
  CHECK(contents(path) == mail(1).text);
  struct stat status{};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  REQUIRE(::stat(path.parent_path().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0700);
  CHECK(files_in(path.parent_path()) == 1);
}

TEST_CASE("Outbox: the same mail again is no second file") {
  const TempDirectory folder;
  const auto outbox = open({folder.path(), 2, 1'000});
  CHECK(write(*outbox, mail(1)) == write(*outbox, mail(1)));
  write(*outbox, mail(2));
  write(*outbox, mail(2));  // at the bound: it takes its own place, not that of another
  CHECK(files_in(folder.path()) == 2);
}

TEST_CASE("Outbox: beyond its bounds the oldest go, also those of an earlier life") {
  const TempDirectory folder;
  std::string first, second;
  {
    const auto outbox = open({folder.path(), 3, 1'000});
    second = write(*outbox, mail(2));
    first = write(*outbox, mail(1));
  }
  const auto outbox = open({folder.path(), 3, 1'000});
  write(*outbox, mail(3));
  CHECK(fs::exists(first));
  write(*outbox, mail(4));
  CHECK_FALSE(fs::exists(first));
  CHECK(fs::exists(second));
  CHECK(files_in(folder.path()) == 3);
  write(*outbox, mail(5, 975));  // 10 + 10 + 975
  CHECK_FALSE(fs::exists(second));
  CHECK(files_in(folder.path()) == 3);
  write(*outbox, mail(6, 991));
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("Outbox: a mail that is larger than all of it is refused, and nothing goes for it") {
  const TempDirectory folder;
  const auto outbox = open({folder.path(), 3, 100});
  write(*outbox, mail(1));
  const auto refused = outbox->write(mail(2, 101));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::too_large);
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("Outbox: what a crash left half written goes, and room that somebody made is seen") {
  const TempDirectory folder;
  std::ofstream(folder / "19700101T000001.000Z-6d31.eml.new") << "half";
  const auto outbox = open({folder.path(), 2, 1'000});
  CHECK(files_in(folder.path()) == 0);
  const auto first = write(*outbox, mail(1));
  fs::remove(write(*outbox, mail(2)));
  write(*outbox, mail(3));
  CHECK(fs::exists(first));
}

TEST_CASE("Outbox: a folder that can't be made is an error that names it") {
  const TempDirectory folder;
  std::ofstream(folder / "file") << "in the way";
  const auto refused = Outbox::open({folder / "file/outbox"});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("file/outbox") != std::string::npos);
}

}  // namespace holdfast::mail
