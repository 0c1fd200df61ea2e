#include "checks/runners/curl_multi.h"

#include <new>

namespace vipd::checks {

namespace {
// Connections kept for checks with reuse: true. libcurl's default is four times the transfers under way at
// the moment, which for short transfers throws nearly all of them away.
constexpr long kept_connections = 10000;

std::uint32_t to_epoll(int what) {
  switch (what) {
    case CURL_POLL_IN: return EPOLLIN;
    case CURL_POLL_OUT: return EPOLLOUT;
    case CURL_POLL_INOUT: return EPOLLIN | EPOLLOUT;
    default: return 0;
  }
}

int to_curl(std::uint32_t events) {
  int flags = 0;
  if (events & (EPOLLIN | EPOLLHUP)) flags |= CURL_CSELECT_IN;
  if (events & EPOLLOUT) flags |= CURL_CSELECT_OUT;
  if (events & EPOLLERR) flags |= CURL_CSELECT_ERR;
  return flags;
}
}  // namespace

CurlMulti::CurlMulti(io::Loop& loop, std::function<TimePoint()> clock)
    : loop_(loop), clock_(std::move(clock)) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  multi_ = curl_multi_init();
  if (!multi_) throw std::bad_alloc();
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, socket_changed);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, timer_changed);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kept_connections);
}

CurlMulti::~CurlMulti() {
  curl_multi_cleanup(multi_);  // closes the kept connections, and calls socket_changed for each
  curl_global_cleanup();
}

void CurlMulti::add(CURL* easy) {
  curl_multi_add_handle(multi_, easy);
  // libcurl has only asked to be called at once; calling it here saves a turn of the loop.
  act(CURL_SOCKET_TIMEOUT, 0);
}

void CurlMulti::remove(CURL* easy) {
  curl_multi_remove_handle(multi_, easy);
}

void CurlMulti::step(TimePoint now) {
  if (deadline_ > now) return;
  deadline_ = never;
  act(CURL_SOCKET_TIMEOUT, 0);
}

void CurlMulti::act(curl_socket_t socket, int events) {
  int running = 0;
  curl_multi_socket_action(multi_, socket, events, &running);
  collect();
}

void CurlMulti::collect() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* easy = message->easy_handle;
    const auto code = message->data.result;  // the message is gone with the handle
    Transfer* transfer = nullptr;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
    curl_multi_remove_handle(multi_, easy);
    transfer->finished(code);
  }
}

int CurlMulti::socket_changed(CURL*, curl_socket_t socket, int what, void* self, void*) {
  auto& multi = *static_cast<CurlMulti*>(self);
  if (what == CURL_POLL_REMOVE) {
    multi.watches_.erase(socket);
    return 0;
  }
  auto& watch = multi.watches_[socket];
  if (watch)
    watch.set_events(to_epoll(what));
  else
    watch = multi.loop_.watch(socket, to_epoll(what),
                              [&multi, socket](std::uint32_t events) { multi.act(socket, to_curl(events)); });
  return 0;
}

int CurlMulti::timer_changed(CURLM*, long milliseconds, void* self) {
  auto& multi = *static_cast<CurlMulti*>(self);
  multi.deadline_ = milliseconds < 0 ? never : multi.clock_() + std::chrono::milliseconds(milliseconds);
  return 0;
}

}  // namespace vipd::checks
