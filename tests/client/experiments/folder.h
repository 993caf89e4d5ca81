// Files of a test, in a folder of its own.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "client/cli/gnuplot.h"

namespace aisivi::experiments {

class Folder {
 public:
  Folder() : directory_(cli::TemporaryDirectory::Create().value()) {}
  std::filesystem::path operator/(const std::string& name) const {
    return directory_.path() / name;
  }
  const std::filesystem::path& path() const { return directory_.path(); }

 private:
  cli::TemporaryDirectory directory_;
};

inline std::string ReadFile(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return std::string((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
}

inline void WriteFile(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

}  // namespace aisivi::experiments
