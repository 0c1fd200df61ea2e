// CurlMulti: runs libcurl's transfers on vipd's Loop, through its multi_socket interface.
//
// libcurl reports the sockets that it waits for, which become Watches, and its timeout, which is
// next_deadline(). This class does not know the purpose of a transfer: checks/runners/http does.
#pragma once

#include <curl/curl.h>

#include <functional>
#include <unordered_map>

#include "base/time.h"
#include "io/loop.h"

namespace vipd::checks {

class CurlMulti {
 public:
  // Receives the outcome of a transfer. CURLOPT_PRIVATE of the transfer's handle points to it.
  class Transfer {
   public:
    // Called outside of libcurl: any libcurl function may be called, and the multi handle no longer has the
    // handle.
    virtual void finished(CURLcode code) = 0;

   protected:
    ~Transfer() = default;
  };

  CurlMulti(io::Loop& loop, std::function<TimePoint()> clock);
  CurlMulti(const CurlMulti&) = delete;
  ~CurlMulti();

  void add(CURL* easy);     // starts it
  void remove(CURL* easy);  // cancels it: finished is not called

  void step(TimePoint now);
  TimePoint next_deadline() const { return deadline_; }

 private:
  static int socket_changed(CURL*, curl_socket_t socket, int what, void* self, void*);
  static int timer_changed(CURLM*, long milliseconds, void* self);
  void act(curl_socket_t socket, int events);
  void collect();

  io::Loop& loop_;
  std::function<TimePoint()> clock_;
  CURLM* multi_;
  std::unordered_map<curl_socket_t, io::Watch> watches_;
  TimePoint deadline_ = never;
};

}  // namespace vipd::checks
