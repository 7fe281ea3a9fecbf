/// A real browser: headless Chromium, driven by chromedriver over WebDriver (W3C), in a profile of its own.
///
/// For tests only: what can't be done is a failed requirement (Catch2) of the test. Blocking; one thread. The browser goes
/// with its owner. It reaches nothing but this machine.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "tests/storage/temp_directory.h"

namespace holdfast::testing {

class Browser {
 public:
  Browser();
  ~Browser();
  Browser(const Browser&) = delete;
  Browser& operator=(const Browser&) = delete;

  /// Goes there, and returns when the page is loaded.
  void open(const std::string& url);
  std::string url();
  std::string title();

  /// The first element that the CSS selector finds; there must be one.
  void type(const std::string& selector, const std::string& text);
  void click(const std::string& selector);
  std::string text(const std::string& selector);
  bool has(const std::string& selector);
  /// Waits until such an element has this text: a click leads to another page, which takes its time.
  void await_text(const std::string& selector, const std::string& text);

  /// A picture of the page, for a person to look at.
  void save_screenshot(const std::filesystem::path& png);

 private:
  struct Driver;
  TempDirectory folder_;
  std::unique_ptr<Driver> driver_;
};

/// False, and said so, where no browser is installed.
bool can_run_browser();

}  // namespace holdfast::testing
