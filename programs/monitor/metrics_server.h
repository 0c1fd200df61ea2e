// MetricsServer: answers GET /metrics over HTTP, by libmicrohttpd within the monitor's loop. It admits few
// clients, each for a limited time, and even fewer idle ones. A request waits until the router has sent its
// state.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "io/fd.h"
#include "io/loop.h"
#include "programs/monitor/exposition.h"

struct MHD_Connection;
struct MHD_Daemon;

namespace vipd::programs {

class MetricsServer {
 public:
  // Must call `answer` once, soon, with the text in that format.
  using Answer = std::function<void(std::string text)>;
  using Asked = std::function<void(Format format, Answer answer)>;

  // listening: a listening TCP or Unix socket.
  static Result<std::unique_ptr<MetricsServer>> start(io::Loop& loop, io::Fd listening, Asked asked);
  ~MetricsServer();
  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;

  void step();
  TimePoint next_deadline(TimePoint now) const;

 private:
  // From the head of a request to the end of its answer.
  struct Exchange {
    std::uint64_t number = 0;
    MHD_Connection* connection = nullptr;
    Format format{};
    bool waiting = false;  // suspended
    bool asked = false;
    std::string text;
  };
  struct Callbacks;  // what libmicrohttpd calls

  explicit MetricsServer(Asked asked) : asked_(std::move(asked)) {}
  void add(MHD_Connection* idle);
  void answered(std::uint64_t number, std::string text);

  Asked asked_;
  MHD_Daemon* server_ = nullptr;
  io::Watch watch_;
  std::map<std::uint64_t, std::unique_ptr<Exchange>> exchanges_;
  std::list<MHD_Connection*> idle_;  // between two requests, or before the first is complete; oldest first
  std::uint64_t numbers_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // answers may come after the destructor
};

}  // namespace vipd::programs
