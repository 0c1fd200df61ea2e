#include "record/recording.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/words.h"
#include "record/line.h"
#include "vrrp/packet.h"

namespace vipd::record {

namespace {
using namespace std::chrono_literals;

constexpr std::string_view first_line = "recording 1";
constexpr Duration longest = 24h * 366;
// An arbitrary time for the engine, far enough from zero for everything that happened before the recording.
constexpr TimePoint beginning{std::chrono::seconds(2'000'000'000)};

constexpr std::array<std::pair<std::string_view, vrrp::StateName>, 3> states{
    {{"Initialize", vrrp::StateName::initialize},
     {"Backup", vrrp::StateName::backup},
     {"Active", vrrp::StateName::active}}};
constexpr std::array<std::pair<std::string_view, vrrp::ChecksumMode>, 3> checksum_modes{
    {{"auto", vrrp::ChecksumMode::automatic},
     {"rfc9568", vrrp::ChecksumMode::rfc9568},
     {"pseudo_header", vrrp::ChecksumMode::pseudo_header}}};
constexpr std::array<std::pair<std::string_view, vrrp::ChecksumForm>, 2> checksum_forms{
    {{"rfc9568", vrrp::ChecksumForm::rfc9568}, {"pseudo_header", vrrp::ChecksumForm::pseudo_header}}};
constexpr std::array<std::pair<std::string_view, Family>, 2> families{
    {{"IPv4", Family::ipv4}, {"IPv6", Family::ipv6}}};

template <class Names, class Value>
std::string_view name_in(const Names& names, Value value) {
  for (const auto& [name, each] : names)
    if (each == value) return name;
  return "?";
}

template <class Names>
auto find_in(const Names& names, const std::string& what, const std::string& text)
    -> Result<typename Names::value_type::second_type> {
  std::vector<std::string> all;
  for (const auto& [name, value] : names) {
    if (name == text) return value;
    all.emplace_back(name);
  }
  return failure(fmt::format("{} must be one of {}, not {}", what, fmt::join(all, ", "), quote(text)));
}

// --- to text ------------------------------------------------------------------------------------------

class Printer {
 public:
  explicit Printer(TimePoint begin) : begin_(begin) {}

  void print(const Entry& entry) {
    when_ = entry.when;
    std::visit([this](const auto& event) { print(event); }, entry.event);
  }
  std::string take() { return std::move(text_); }

 private:
  void line(const std::string& rest) { text_ += seconds(when_ - begin_) + " " + rest + "\n"; }
  std::string moment(TimePoint when) const {
    return when == never ? "never" : seconds(std::clamp<Duration>(when - begin_, -bound, bound));
  }

  void print(const vrrp::Tick&) { line("tick"); }
  void print(const vrrp::Shutdown&) { line("shutdown"); }
  void print(const vrrp::SwitchRequested& event) { line("switch " + quoted(event.name)); }
  void print(const vrrp::SwitchBackRequested& event) { line("switch-back " + quoted(event.name)); }
  void print(const vrrp::AdvertisementsHeld& event) {
    for (std::size_t i = 0; i < event.due.size(); ++i) {
      const auto& [key, due] = event.due[i];
      line(fmt::format("held {} vrid={} family={} due={}{}", quoted(key.interface), key.vrid,
                       name_in(families, key.family), moment(due),
                       i + 1 < event.due.size() ? " more=true" : ""));
    }
  }
  void print(const vrrp::AddressClaimed& event) {
    line(fmt::format("claim {} address={} mac={} times={}", quoted(event.interface), to_string(event.address),
                     to_string(event.mac), event.times));
  }
  void print(const vrrp::SenderIdentified& event) {
    line(fmt::format("sender {} address={} mac={}", quoted(event.interface), to_string(event.sender),
                     to_string(event.mac)));
  }
  void print(const vrrp::AddressFailed& event) {
    line(fmt::format("failed {} vrid={} family={} address={} error={}", quoted(event.router.interface),
                     event.router.vrid, name_in(families, event.router.family), to_string(event.prefix),
                     quoted(event.error)));
  }

  void print(const vrrp::DatagramReceived& event) {
    std::string data;
    for (const auto each : event.payload) data += fmt::format("{:02x}", each);
    auto text = fmt::format("packet {} from={} to={} hop={} data={}", quoted(event.interface),
                            to_string(event.source), to_string(event.destination), event.hop_limit,
                            data.empty() ? "\"\"" : data);
    if (event.truncated) text += " truncated=true";
    const auto decoded =
        vrrp::decode({event.source, event.destination, event.hop_limit, event.payload, event.truncated});
    text += decoded ? fmt::format("  # VRID {}, priority {}, every {}", decoded->vrid, decoded->priority,
                                  vipd::to_string(Duration(decoded->interval)))
                    : fmt::format("  # {}", to_string(decoded.error()));
    line(text);
  }

  void print(const vrrp::InterfaceChanged& event) {
    const auto& interface = event.interface;
    std::vector<std::string> addresses;
    for (const auto& each : interface.addresses)
      addresses.push_back(to_string(each.prefix) + (each.tentative ? ":tentative" : "") +
                          (each.dad_failed ? ":dad_failed" : "") + (each.ours ? ":ours" : ""));
    line(fmt::format("interface {} index={} up={} running={} mtu={} mac={} address={}",
                     quoted(interface.name), interface.index, interface.up, interface.running, interface.mtu,
                     to_string(interface.mac),
                     addresses.empty() ? "\"\"" : fmt::format("{}", fmt::join(addresses, ","))));
  }

  std::string fact(const vrrp::CheckFact& fact) const {
    auto text = fmt::format("{} healthy={} since={} detail={}", quoted(fact.check), fact.healthy,
                            moment(fact.since), quoted(fact.detail));
    if (fact.priority) text += fmt::format(" priority={}", *fact.priority);
    return text;
  }
  void print(const vrrp::HealthChanged& event) { line("check " + fact(event.fact)); }

  void print(const vrrp::ConfigReplaced& event) {
    for (const auto& router : event.routers) print_router(router);
    if (event.adopted) {
      for (const auto& router : event.adopted->routers) print_adopted(router);
      for (const auto& [name, each] : event.adopted->checks) line("known-check " + fact(each));
    }
    line(fmt::format("configure adopt={}", event.adopted.has_value()));
  }
  void print_router(const vrrp::VirtualRouterConfig& router) {
    std::vector<std::string> addresses;
    for (const auto& prefix : router.addresses) addresses.push_back(to_string(prefix));
    std::string rest;  // what need not be there
    if (router.announce.pace != Duration::zero()) rest += " pace=" + vipd::to_string(router.announce.pace);
    for (const auto& each : router.checks)
      rest += fmt::format(" check-{}={}", quoted(each.check),
                          each.initialize ? std::string("initialize") : std::to_string(each.priority));
    line(fmt::format(
        "router {} interface={} vrid={} family={} priority={} interval={} max_adopted_interval={} "
        "preempt_mode={} checksum={} dead_man={} repeat={} refresh={} address={}{}",
        quoted(router.name), quoted(router.key.interface), router.key.vrid,
        name_in(families, router.key.family), router.priority,
        vipd::to_string(Duration(router.advertisement_interval)),
        vipd::to_string(router.max_adopted_interval), router.preempt_mode,
        name_in(checksum_modes, router.checksum), vipd::to_string(router.dead_man), router.announce.repeat,
        vipd::to_string(router.announce.refresh), fmt::join(addresses, ","), rest));
  }
  void print_adopted(const vrrp::RouterSnapshot& router) {
    auto text = fmt::format(
        "adopted {} vrid={} family={} state={} priority={} since={} interval={} deadline={} "
        "yielded={} reason={}",
        quoted(router.key.interface), router.key.vrid, name_in(families, router.key.family),
        name_in(states, router.state), router.priority, moment(router.since),
        vipd::to_string(router.active_adver_interval), moment(router.deadline), router.yielded,
        quoted(router.reason));
    if (router.peer)
      text += fmt::format(" peer={} peer_priority={} peer_interval={} peer_heard={}",
                          to_string(router.peer->address), router.peer->priority,
                          vipd::to_string(Duration(router.peer->interval)), moment(router.peer->heard));
    if (router.announced != 0) text += fmt::format(" announced={}", router.announced);
    if (router.release_until) text += fmt::format(" release_until={}", moment(*router.release_until));
    if (router.checksum_heard)
      text += fmt::format(" checksum={}", name_in(checksum_forms, *router.checksum_heard));
    line(text);
  }

  static constexpr Duration bound = std::chrono::seconds(1'000'000'000);
  TimePoint begin_;
  TimePoint when_{};
  std::string text_ = std::string(first_line) + "\n";
};

// --- from text ----------------------------------------------------------------------------------------

class Parser {
 public:
  Result<> take(Line& line) {
    const TimePoint when = beginning + line.time();
    if (!recording_.entries.empty() && when < recording_.entries.back().when)
      return failure("the time is earlier than that of the line above: put the lines in order");
    when_ = when;
    auto event = TRY(event_of(line));
    TRY_VOID(line.finish());
    if (event) recording_.entries.push_back({when, std::move(*event)});
    return {};
  }
  Result<Recording> finish() {
    if (!routers_.empty() || !adopted_.routers.empty() || !adopted_.checks.empty())
      return failure(
          "the last router, adopted or known-check lines have no effect: end with a configure line");
    return std::move(recording_);
  }

 private:
  using Input = std::optional<vrrp::Input>;

  Result<Input> event_of(Line& line) {
    const auto& word = line.word();
    if (word == "tick") return vrrp::Tick{};
    if (word == "packet") return packet(line);
    if (word == "interface") return interface(line);
    if (word == "check") return vrrp::HealthChanged{TRY(fact(line))};
    if (word == "router") return router(line);
    if (word == "adopted") return adopted(line);
    if (word == "known-check") return known_check(line);
    if (word == "configure") return configure(line);
    if (word == "claim") return claim(line);
    if (word == "sender") return sender(line);
    if (word == "failed") return failed(line);
    if (word == "held") return held(line);
    if (word == "switch") return vrrp::SwitchRequested{TRY(line.next("the name of the virtual router"))};
    if (word == "switch-back")
      return vrrp::SwitchBackRequested{TRY(line.next("the name of the virtual router"))};
    if (word == "shutdown") return vrrp::Shutdown{};
    static const std::vector<std::string> words{
        "tick",  "packet", "interface", "check", "router", "adopted",     "known-check", "configure",
        "claim", "sender", "failed",    "held",  "switch", "switch-back", "shutdown"};
    const auto similar = did_you_mean(word, words);
    return failure(
        fmt::format("unknown word {}: {}", quote(word),
                    similar.empty() ? fmt::format("the words are {}", fmt::join(words, ", ")) : similar));
  }

  template <class Names>
  static auto choice(Line& line, const std::string& key, const Names& names) {
    const auto text = line.text(key);
    using Value = Result<typename Names::value_type::second_type>;
    if (!text) return Value(tl::unexpected(text.error()));
    return find_in(names, key, *text);
  }
  Result<IpAddress> address(Line& line, const std::string& key) {
    return IpAddress::parse(TRY(line.text(key)));
  }
  Result<MacAddress> mac(Line& line) { return MacAddress::parse(TRY(line.text("mac"))); }
  Result<TimePoint> moment(Line& line, const std::string& key) { return beginning + TRY(line.moment(key)); }
  Result<TimePoint> moment_or_never(Line& line, const std::string& key) {
    if (TRY(line.text(key)) == "never") return never;
    return moment(line, key);
  }
  Result<vrrp::RouterKey> key(Line& line, std::string interface) {
    vrrp::RouterKey key;
    key.interface = std::move(interface);
    key.vrid = static_cast<vrrp::Vrid>(TRY(line.number("vrid", 1, 255)));
    key.family = TRY(choice(line, "family", families));
    return key;
  }
  Result<vrrp::Priority> priority(Line& line, const std::string& which, int least) {
    return static_cast<vrrp::Priority>(TRY(line.number(which, least, 255)));
  }
  Result<Centiseconds> interval(Line& line, const std::string& which) {
    const auto value = TRY(
        line.duration(which, vrrp::shortest_advertisement_interval, vrrp::longest_advertisement_interval));
    return std::chrono::duration_cast<Centiseconds>(value);
  }

  Result<Input> packet(Line& line) {
    vrrp::DatagramReceived event;
    event.interface = TRY(line.next("the interface"));
    event.source = TRY(address(line, "from"));
    event.destination = TRY(address(line, "to"));
    event.hop_limit = static_cast<int>(TRY(line.number("hop", 0, 255)));
    const auto data = TRY(line.text("data"));
    if (data.size() % 2 != 0 || data.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos)
      return failure("data is not hexadecimal: write two digits for each byte");
    for (std::size_t i = 0; i < data.size(); i += 2)
      event.payload.push_back(static_cast<std::uint8_t>(std::stoi(data.substr(i, 2), nullptr, 16)));
    if (line.has("truncated")) event.truncated = TRY(line.boolean("truncated"));
    if (event.source.family != event.destination.family)
      return failure("from and to have different address families: correct one of them");
    return event;
  }

  Result<Input> interface(Line& line) {
    Interface interface;
    interface.name = TRY(line.next("the interface"));
    interface.index = static_cast<std::uint32_t>(TRY(line.number("index", 0, 0x7fffffff)));
    interface.up = TRY(line.boolean("up"));
    interface.running = TRY(line.boolean("running"));
    interface.mtu = static_cast<std::uint32_t>(TRY(line.number("mtu", 0, 0x7fffffff)));
    interface.mac = TRY(mac(line));
    for (const auto& text : TRY(line.list("address"))) {
      InterfaceAddress each;
      // An IPv6 address contains colons too: the marks begin after the prefix length.
      const auto length = text.find('/');
      const auto marks_begin = length == std::string::npos ? length : text.find(':', length);
      each.prefix = TRY(Prefix::parse(text.substr(0, marks_begin)));
      const auto marks = marks_begin == std::string::npos ? "" : text.substr(marks_begin) + ":";
      each.tentative = marks.find(":tentative:") != std::string::npos;
      each.dad_failed = marks.find(":dad_failed:") != std::string::npos;
      each.ours = marks.find(":ours:") != std::string::npos;
      interface.addresses.push_back(each);
    }
    return vrrp::InterfaceChanged{interface};
  }

  Result<vrrp::CheckFact> fact(Line& line) {
    vrrp::CheckFact fact;
    fact.check = TRY(line.next("the name of the check"));
    fact.healthy = TRY(line.boolean("healthy"));
    fact.since = TRY(moment(line, "since"));
    fact.detail = TRY(line.text("detail"));
    if (line.has("priority")) fact.priority = static_cast<int>(TRY(line.number("priority", -254, 254)));
    return fact;
  }

  Result<Input> router(Line& line) {
    vrrp::VirtualRouterConfig router;
    router.name = TRY(line.next("the name of the virtual router"));
    const auto interface = TRY(line.text("interface"));
    router.key = TRY(key(line, interface));
    router.priority = TRY(priority(line, "priority", 1));
    router.advertisement_interval = TRY(interval(line, "interval"));
    router.max_adopted_interval = TRY(line.duration("max_adopted_interval", Duration::zero(), 41s));
    router.preempt_mode = TRY(line.boolean("preempt_mode"));
    router.checksum = TRY(choice(line, "checksum", checksum_modes));
    router.dead_man = TRY(line.duration("dead_man", Duration::zero(), longest));
    router.announce.repeat = static_cast<int>(TRY(line.number("repeat", 1, 1000)));
    router.announce.refresh = TRY(line.duration("refresh", Duration::zero(), longest));
    if (line.has("pace"))
      router.announce.pace = TRY(line.duration("pace", Duration::zero(), vrrp::longest_pace));
    for (const auto& text : TRY(line.list("address"))) router.addresses.push_back(TRY(Prefix::parse(text)));
    if (router.addresses.empty() || router.addresses.size() > 255)
      return failure("a virtual router has 1 to 255 addresses");
    std::set<IpAddress> different;
    for (const auto& prefix : router.addresses) {
      if (prefix.address.family != router.key.family)
        return failure(to_string(prefix) +
                       " has the other address family: write a router line of its own for it");
      if (!different.insert(prefix.address).second)
        return failure("duplicate address " + to_string(prefix) + ": remove one");
    }
    for (const auto& name : line.fields_that_begin_with("check-")) {
      vrrp::TrackedCheck check{name.substr(6), 0, false};
      if (quoted(check.check) != check.check)
        return failure(fmt::format("{} is not a valid name for a check: use letters, digits, and . _ - /",
                                   quote(check.check)));
      check.initialize = TRY(line.text(name)) == "initialize";
      if (!check.initialize) check.priority = static_cast<int>(TRY(line.number(name, -254, 0)));
      router.checks.push_back(check);
    }
    for (const auto& each : routers_)
      if (each.key == router.key)
        return failure(fmt::format("duplicate router {}: remove one", vrrp::to_string(router.key)));
    routers_.push_back(std::move(router));
    return std::nullopt;
  }

  Result<Input> adopted(Line& line) {
    vrrp::RouterSnapshot router;
    const auto interface = TRY(line.next("the interface"));
    router.key = TRY(key(line, interface));
    router.state = TRY(choice(line, "state", states));
    router.priority = TRY(priority(line, "priority", 0));
    router.since = TRY(moment(line, "since"));
    router.active_adver_interval = TRY(line.duration("interval", vrrp::shortest_advertisement_interval, 41s));
    router.deadline = TRY(moment_or_never(line, "deadline"));
    // Only a virtual router in Initialize waits for nothing.
    if (router.deadline == never && router.state != vrrp::StateName::initialize)
      return failure("deadline=never is valid only for state=Initialize");
    router.yielded = TRY(line.boolean("yielded"));
    router.reason = TRY(line.text("reason"));
    if (line.has("peer")) {
      vrrp::Peer peer;
      peer.address = TRY(address(line, "peer"));
      peer.priority = TRY(priority(line, "peer_priority", 0));
      peer.interval = TRY(interval(line, "peer_interval"));
      peer.heard = TRY(moment(line, "peer_heard"));
      router.peer = peer;
    }
    if (line.has("announced"))
      router.announced = static_cast<int>(TRY(line.number("announced", 0, 1'000'000'000)));
    if (line.has("release_until")) router.release_until = TRY(moment_or_never(line, "release_until"));
    if (line.has("checksum")) router.checksum_heard = TRY(choice(line, "checksum", checksum_forms));
    adopted_.routers.push_back(std::move(router));
    return std::nullopt;
  }

  Result<Input> known_check(Line& line) {
    const auto known = TRY(fact(line));
    adopted_.checks[known.check] = known;
    return std::nullopt;
  }

  Result<Input> configure(Line& line) {
    vrrp::ConfigReplaced event{std::exchange(routers_, {}), std::nullopt};
    auto adopted = std::exchange(adopted_, {});
    if (TRY(line.boolean("adopt")))
      event.adopted = std::move(adopted);
    else if (!adopted.routers.empty() || !adopted.checks.empty())
      return failure("there are adopted or known-check lines above: write adopt=true, or remove them");
    return event;
  }

  Result<Input> claim(Line& line) {
    vrrp::AddressClaimed event;
    event.interface = TRY(line.next("the interface"));
    event.address = TRY(address(line, "address"));
    event.mac = TRY(mac(line));
    event.times = static_cast<std::uint32_t>(TRY(line.number("times", 1, 0x7fffffff)));
    return event;
  }

  Result<Input> sender(Line& line) {
    vrrp::SenderIdentified event;
    event.interface = TRY(line.next("the interface"));
    event.sender = TRY(address(line, "address"));
    event.mac = TRY(mac(line));
    return event;
  }

  Result<Input> failed(Line& line) {
    vrrp::AddressFailed event;
    const auto interface = TRY(line.next("the interface"));
    event.router = TRY(key(line, interface));
    const auto address = TRY(line.text("address"));
    event.prefix = TRY(Prefix::parse(address));
    event.error = TRY(line.text("error"));
    return event;
  }

  // One input on several lines: all but the last have more=true.
  Result<Input> held(Line& line) {
    const auto interface = TRY(line.next("the interface"));
    const auto router = TRY(key(line, interface));
    held_.due.emplace_back(router, TRY(moment(line, "due")));
    if (line.has("more") && TRY(line.boolean("more"))) return Input{};
    return std::exchange(held_, {});
  }

  Recording recording_;
  TimePoint when_{};
  std::vector<vrrp::VirtualRouterConfig> routers_;  // for the next configure line
  vrrp::Snapshot adopted_;
  vrrp::AdvertisementsHeld held_;
};

// Takes the first line from the text.
std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  const auto line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

bool is_empty(std::string_view line) {
  const auto begin = line.find_first_not_of(" \t\r");
  return begin == std::string_view::npos || line[begin] == '#';
}
}  // namespace

bool is_recording(std::string_view text) {
  while (!text.empty()) {
    const auto line = take_line(text);
    if (!is_empty(line)) return line.starts_with("recording");
  }
  return false;
}

std::string to_text(const Recording& recording) {
  if (recording.entries.empty()) return std::string(first_line) + "\n";
  Printer printer(recording.entries.front().when);
  for (const auto& entry : recording.entries) printer.print(entry);
  return printer.take();
}

Result<Recording> parse(std::string_view text) {
  Parser parser;
  bool begun = false;
  for (int number = 1; !text.empty(); ++number) {
    const auto line = take_line(text);
    const auto fail = [&](const std::string& why) {
      return failure(fmt::format("line {}: {}", number, why));
    };
    if (line.starts_with("----")) break;
    if (is_empty(line)) continue;
    if (!begun) {
      if (!line.starts_with("recording"))
        return fail("this is not a recording: it must begin with \"recording 1\"; vipctl record writes one");
      if (line.substr(0, line.find_last_not_of(" \t\r") + 1) != first_line)
        return fail(fmt::format("{} is another version of the format: this vipctl reads \"{}\"", quote(line),
                                first_line));
      begun = true;
      continue;
    }
    auto parsed = Line::parse(line);
    if (!parsed) return fail(parsed.error().message);
    if (const auto taken = parser.take(*parsed); !taken) return fail(taken.error().message);
  }
  if (!begun)
    return failure(
        "line 1: this is not a recording: it must begin with \"recording 1\"; vipctl record writes one");
  return parser.finish();
}

}  // namespace vipd::record
