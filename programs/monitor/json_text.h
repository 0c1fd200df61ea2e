// JsonText: writes JSON as text, piece by piece, for large answers that are requested often: building a tree
// of values first takes ten times as long. Small answers are made with nlohmann::json.
//
//   JsonText out;
//   out.begin('{');
//   out("name", "edge");                // {"name":"edge"
//   out.begin("checks", '[');           // ,"checks":[
//   out.value("web/nginx");             // "web/nginx"
//   out.end(']');
//   out.end('}');
//
// The caller must match each begin with an end, and give keys in objects only.
#pragma once

#include <fmt/format.h>

#include <concepts>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "base/time.h"

namespace vipd {

// A time in milliseconds, exactly: 1.5, or 0.000001.
struct InMilliseconds {
  Duration time;
};

class JsonText {
 public:
  void begin(char bracket) {
    separate();
    open(bracket);
  }
  void begin(std::string_view key, char bracket) {
    name(key);
    open(bracket);
  }
  void end(char bracket) {
    put(bracket);
    first_ = false;
  }

  // The key must be a literal without characters that need escapes.
  template <std::size_t n, class T>
  void operator()(const char (&key)[n], const T& each) {
    char* at = room(n + 3);
    if (!first_) *at++ = ',';
    first_ = false;
    *at++ = '"';
    std::memcpy(at, key, n - 1);
    at += n - 1;
    *at++ = '"';
    *at++ = ':';
    reached(at);
    write(each);
  }
  template <class T>
  void named(std::string_view key, const T& each) {
    name(key);
    write(each);
  }
  template <class T>
  void value(const T& each) {
    separate();
    write(each);
  }

  std::string take() {
    text_.resize(size_);
    return std::move(text_);
  }

 private:
  // Where up to `count` more characters may be written; then call reached() with the end of those that were.
  char* room(std::size_t count) {
    if (size_ + count > text_.size()) text_.resize(2 * (size_ + count) + 4096);
    return text_.data() + size_;
  }
  void reached(const char* end) { size_ = static_cast<std::size_t>(end - text_.data()); }
  void put(char each) { *room(1) = each, ++size_; }
  void put(std::string_view each) {
    std::memcpy(room(each.size()), each.data(), each.size());
    size_ += each.size();
  }

  void open(char bracket) {
    put(bracket);
    first_ = true;
  }
  void separate() {
    if (!first_) put(',');
    first_ = false;
  }
  void name(std::string_view key) {
    separate();
    write(key);
    put(':');
  }
  void write(std::nullptr_t) { put("null"); }
  void write(bool each) { put(each ? std::string_view("true") : std::string_view("false")); }
  void write(std::string_view each);  // invalid UTF-8 becomes U+FFFD
  void write(const std::string& each) { write(std::string_view(each)); }
  void write(const char* each) { write(std::string_view(each)); }
  void write(double each);  // finite
  void write(InMilliseconds each);
  template <std::integral T>
  void write(T each) {
    const fmt::format_int digits(each);
    put({digits.data(), digits.size()});
  }

  std::string text_;      // longer than the written text
  std::size_t size_ = 0;  // of the written text
  bool first_ = true;
};

}  // namespace vipd
