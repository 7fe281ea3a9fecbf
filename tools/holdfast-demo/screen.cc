#include "tools/holdfast-demo/screen.h"

#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <iostream>

namespace holdfast::demo {
namespace {

constexpr const char* kBold = "\033[1m";
constexpr const char* kGreen = "\033[32m";
constexpr const char* kRed = "\033[31m";
constexpr const char* kDim = "\033[2m";
constexpr const char* kEnd = "\033[0m";
constexpr std::chrono::seconds kPlainStatusEvery{5};

}  // namespace

Screen::Screen() : terminal_(::isatty(STDOUT_FILENO) == 1), began_(steady_now()) {}

void Screen::end_status() {
  if (status_shown_) std::cout << "\r\033[K";
  status_shown_ = false;
}

void Screen::title(const std::string& text) {
  end_status();
  std::cout << "\n" << (terminal_ ? kBold : "") << text << (terminal_ ? kEnd : "") << std::endl;
  last_status_ = steady_now();
}

void Screen::say(const std::string& text) {
  end_status();
  const std::chrono::duration<double> at = steady_now() - began_;
  std::cout << (terminal_ ? kDim : "") << fmt::format("{:>6.1f} s", at.count()) << (terminal_ ? kEnd : "") << "  "
            << text << std::endl;
}

void Screen::figure(const std::string& name, const std::string& value, bool good) {
  end_status();
  std::cout << "          " << fmt::format("{:<40}", name) << (terminal_ ? (good ? kGreen : kRed) : "") << value
            << (terminal_ ? kEnd : "") << std::endl;
}

void Screen::status(const std::string& text) {
  const SteadyTime now = steady_now();
  if (!terminal_) {
    if (now - last_status_ < kPlainStatusEvery) return;
    last_status_ = now;
    return say(text);
  }
  std::cout << "\r\033[K" << kDim << "          " << text << kEnd << std::flush;
  status_shown_ = true;
}

}  // namespace holdfast::demo
