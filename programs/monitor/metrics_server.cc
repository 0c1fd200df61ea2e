#include "programs/monitor/metrics_server.h"

#include <microhttpd.h>
#include <strings.h>
#include <sys/socket.h>

#include <string_view>

#include "programs/monitor/accept.h"

namespace vipd::programs {

namespace {
constexpr unsigned most_clients = 64;
constexpr std::size_t most_idle = 16;
constexpr unsigned longest_exchange = 10;  // seconds without progress

constexpr const char* text_type = "text/plain; charset=utf-8";
constexpr const char* prometheus_type = "text/plain; version=0.0.4; charset=utf-8";
constexpr const char* open_metrics_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";

Format wanted_format(MHD_Connection* connection) {
  std::string accepted;
  const auto add = [](void* all, MHD_ValueKind, const char* name, const char* value) {
    if (value && strcasecmp(name, "Accept") == 0) *static_cast<std::string*>(all) += std::string(value) + ",";
    return MHD_YES;
  };
  MHD_get_connection_values(connection, MHD_HEADER_KIND, add, &accepted);
  return accepted_format(accepted);
}

// The form for proxies contains the host (RFC 9112 section 3.2.2).
std::string_view path_of(std::string_view target) {
  constexpr std::string_view scheme = "http://";
  if (!target.starts_with(scheme)) return target;
  const auto slash = target.find('/', scheme.size());
  return slash == std::string_view::npos ? "/" : target.substr(slash);
}

MHD_Result respond(MHD_Connection* connection, unsigned status, const char* type, std::string_view text) {
  // The library copies the text.
  auto* const response =
      MHD_create_response_from_buffer(text.size(), const_cast<char*>(text.data()), MHD_RESPMEM_MUST_COPY);
  if (!response) return MHD_NO;
  MHD_add_response_header(response, "Content-Type", type);
  if (status == MHD_HTTP_METHOD_NOT_ALLOWED) MHD_add_response_header(response, "Allow", "GET, HEAD");
  const auto queued = MHD_queue_response(connection, status, response);
  MHD_destroy_response(response);
  return queued;
}
}  // namespace

struct MetricsServer::Callbacks {
  // Called for the head of a request, for each part of its body and for its end; and again after a
  // suspension.
  static MHD_Result handle(void* self, MHD_Connection* connection, const char* url, const char* method,
                           const char* /*version*/, const char* /*body*/, size_t* body_size, void** state) {
    auto& server = *static_cast<MetricsServer*>(self);
    if (!*state) {
      auto exchange = std::make_unique<Exchange>();
      exchange->number = ++server.numbers_;
      exchange->connection = connection;
      *state = exchange.get();
      server.exchanges_.emplace(exchange->number, std::move(exchange));
      server.idle_.remove(connection);
      return MHD_YES;
    }
    auto& exchange = *static_cast<Exchange*>(*state);
    if (*body_size > 0) {
      *body_size = 0;
      return MHD_YES;
    }
    const std::string_view asked_for(method);
    if (asked_for != "GET" && asked_for != "HEAD")
      return respond(connection, MHD_HTTP_METHOD_NOT_ALLOWED, text_type, "GET /metrics is all there is\n");
    if (path_of(url) != "/metrics")
      return respond(connection, MHD_HTTP_NOT_FOUND, text_type, "metrics of vipd are at /metrics\n");
    if (exchange.asked)
      return respond(connection, MHD_HTTP_OK,
                     exchange.format == Format::prometheus ? prometheus_type : open_metrics_type,
                     exchange.text);
    exchange.asked = exchange.waiting = true;
    exchange.format = wanted_format(connection);
    MHD_suspend_connection(connection);
    server.asked_(exchange.format, [&server, alive = std::weak_ptr(server.alive_),
                                    number = exchange.number](std::string text) {
      if (alive.lock()) server.answered(number, std::move(text));
    });
    return MHD_YES;
  }

  static void connected(void* self, MHD_Connection* connection, void** /*state*/,
                        MHD_ConnectionNotificationCode what) {
    auto& server = *static_cast<MetricsServer*>(self);
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
      server.add(connection);
    else
      server.idle_.remove(connection);
  }

  static void completed(void* self, MHD_Connection* connection, void** state,
                        MHD_RequestTerminationCode /*how*/) {
    auto& server = *static_cast<MetricsServer*>(self);
    if (*state) server.add(connection);
    if (*state) server.exchanges_.erase(static_cast<Exchange*>(*state)->number);
    *state = nullptr;
  }
};

Result<std::unique_ptr<MetricsServer>> MetricsServer::start(io::Loop& loop, io::Fd listening, Asked asked) {
  std::unique_ptr<MetricsServer> server(new MetricsServer(std::move(asked)));
  auto* const self = server.get();
  self->server_ = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, nullptr, nullptr,
                                   &Callbacks::handle, self, MHD_OPTION_LISTEN_SOCKET, listening.get(),
                                   MHD_OPTION_CONNECTION_LIMIT, most_clients, MHD_OPTION_CONNECTION_TIMEOUT,
                                   longest_exchange, MHD_OPTION_NOTIFY_COMPLETED, &Callbacks::completed, self,
                                   MHD_OPTION_NOTIFY_CONNECTION, &Callbacks::connected, self, MHD_OPTION_END);
  if (!self->server_) return system_failure("serving metrics");
  (void)listening.release();  // the library closes it
  const auto* const info = MHD_get_daemon_info(self->server_, MHD_DAEMON_INFO_EPOLL_FD);
  if (!info) return failure("serving metrics: the library has no epoll");
  self->watch_ = loop.watch(info->epoll_fd, [self] { self->step(); });
  return server;
}

MetricsServer::~MetricsServer() {
  watch_.reset();
  if (!server_) return;
  for (auto& [number, exchange] : exchanges_)
    if (std::exchange(exchange->waiting, false)) MHD_resume_connection(exchange->connection);
  MHD_stop_daemon(server_);
}

// A new connection makes room for itself: the one that has been silent for longest is closed.
void MetricsServer::add(MHD_Connection* connection) {
  idle_.push_back(connection);
  if (idle_.size() <= most_idle) return;
  const auto* const info = MHD_get_connection_info(idle_.front(), MHD_CONNECTION_INFO_CONNECTION_FD);
  idle_.pop_front();
  if (info) shutdown(info->connect_fd, SHUT_RDWR);  // the library sees it and closes
}

void MetricsServer::answered(std::uint64_t number, std::string text) {
  const auto found = exchanges_.find(number);
  if (found == exchanges_.end() || !std::exchange(found->second->waiting, false)) return;
  found->second->text = std::move(text);
  MHD_resume_connection(found->second->connection);  // wakes the loop
}

void MetricsServer::step() {
  MHD_run(server_);
}

TimePoint MetricsServer::next_deadline(TimePoint now) const {
  MHD_UNSIGNED_LONG_LONG milliseconds = 0;
  if (MHD_get_timeout(server_, &milliseconds) != MHD_YES) return never;
  return now + std::chrono::milliseconds(milliseconds);
}

}  // namespace vipd::programs
