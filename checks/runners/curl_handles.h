// Owners of what libcurl allocates and must free: the handle of a transfer, and a list of lines. Not copied
// or shared.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>

namespace vipd::checks {

struct FreeCurl {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using CurlHandle = std::unique_ptr<CURL, FreeCurl>;

// A list of headers, of recipients, or of names with their addresses.
class CurlList {
 public:
  CurlList() = default;
  CurlList(const CurlList&) = delete;
  CurlList& operator=(const CurlList&) = delete;
  ~CurlList() { curl_slist_free_all(lines_); }
  void add(const std::string& line) {
    if (auto* longer = curl_slist_append(lines_, line.c_str())) lines_ = longer;
  }
  curl_slist* get() const { return lines_; }

 private:
  curl_slist* lines_ = nullptr;
};

}  // namespace vipd::checks
