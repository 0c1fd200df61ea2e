#include "tests/source_tree.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>

namespace vipd::tests {

namespace {

namespace fs = std::filesystem;

bool is_left_out(const fs::directory_entry& entry) {
  const auto name = entry.path().filename().string();
  if (name.starts_with('.')) return name != ".ci";
  if (entry.is_directory()) return name == "build" || name.starts_with("build-") || name == "__pycache__";
  return name == "compile_commands.json" || name == "core" || entry.is_symlink();
}

std::vector<std::string> lines_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

void collect(const fs::path& top, const fs::path& folder, std::vector<SourceFile>& files) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (is_left_out(entry)) continue;
    if (entry.is_directory())
      collect(top, entry.path(), files);
    else if (entry.is_regular_file())
      files.push_back({fs::relative(entry.path(), top).string(), lines_of(entry.path())});
  }
}

std::vector<SourceFile> read_tree() {
  std::vector<SourceFile> files;
  collect(SOURCE_DIR, SOURCE_DIR, files);
  std::erase_if(files, [](const SourceFile& file) { return file.text().find('\0') != std::string::npos; });
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

}  // namespace

std::string SourceFile::text() const {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

const std::vector<SourceFile>& source_tree() {
  static const auto files = read_tree();
  return files;
}

const SourceFile& source_file(std::string_view path) {
  static const SourceFile none;
  for (const auto& file : source_tree())
    if (file.path == path) return file;
  return none;
}

bool is_code(const SourceFile& file) {
  return file.path.ends_with(".cc") || file.path.ends_with(".h");
}

std::string folder_of(const SourceFile& file) {
  const auto slash = file.path.find('/');
  return slash == std::string::npos ? "" : file.path.substr(0, slash);
}

std::vector<Include> includes_of(const SourceFile& file) {
  std::vector<Include> includes;
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    const auto& line = file.lines[i];
    if (!line.starts_with("#include ") || line.size() < 12) continue;
    const bool quoted = line[9] == '"';
    const auto end = line.find(quoted ? '"' : '>', 10);
    if (end != std::string::npos) includes.push_back({line.substr(10, end - 10), quoted, i + 1});
  }
  return includes;
}

std::set<std::string> matches(const std::string& text, const std::string& expression) {
  const std::regex regex(expression);
  std::set<std::string> found;
  for (std::sregex_iterator match(text.begin(), text.end(), regex), end; match != end; ++match)
    found.insert((*match)[1]);
  return found;
}

}  // namespace vipd::tests
