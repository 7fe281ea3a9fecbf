/// Where secrets are written: standard output, or a file that nobody else can read, from its first byte on.
///
/// Value; blocking, one thread. Errors name the file and say what the system said.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "storage/file_util.h"

namespace holdfast::ctl {

class Sink {
 public:
  /// Empty: standard output. What was in the file goes; if others could read it, they no longer can.
  static Result<Sink> open(const std::string& path);
  Status write(std::string_view bytes);

 private:
  Sink(std::string path, FileDescriptor file) : path_(std::move(path)), file_(std::move(file)) {}

  std::string path_;
  FileDescriptor file_;  ///< none: standard output
};

}  // namespace holdfast::ctl
