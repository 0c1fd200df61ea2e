// A directory of a test's own, gone with the test.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace vipd::testing {

class Scratch {
 public:
  Scratch() {
    std::string path = std::filesystem::temp_directory_path() / "vipd-test-XXXXXX";
    path_ = ::mkdtemp(path.data());
    ::chmod(path_.c_str(), 0755);
  }
  Scratch(const Scratch&) = delete;
  ~Scratch() { std::filesystem::remove_all(path_); }

  const std::string& path() const { return path_; }
  std::string file(const std::string& name, std::string_view content, mode_t mode = 0644) const {
    auto path = path_ + "/" + name;
    {
      std::ofstream file(path);
      file << content;
    }
    ::chmod(path.c_str(), mode);
    return path;
  }

 private:
  std::string path_;
};

}  // namespace vipd::testing
