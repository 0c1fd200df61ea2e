// The flight recorder: the inputs of an engine are kept, written as text, read again and replayed.
#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "ctl/recording.h"
#include "record/recorder.h"
#include "record/replay.h"
#include "tests/vrrp/bench.h"
#include "vrrp/packet.h"

using namespace vipd;
using namespace vipd::record;
using namespace vipd::vrrp::test;

namespace {

// An engine with a recorder beside it.
struct Recorded {
  vrrp::Engine engine;
  Recorder recorder;
  TimePoint now{5000s};
  std::vector<vrrp::VirtualRouterConfig> routers;
  Interface link = eth0();
  Lines did;

  explicit Recorded(std::size_t capacity = 1 << 20)
      : recorder(capacity, [this] {
          return std::vector<vrrp::Input>{vrrp::InterfaceChanged{link},
                                          vrrp::ConfigReplaced{routers, engine.snapshot()}};
        }) {}
  void step(const vrrp::Input& event) {
    recorder.record(now, event);
    for (const auto& line : describe(engine.step(now, event))) did.push_back(line);
  }
  void start(std::vector<vrrp::VirtualRouterConfig> configs) {
    routers = std::move(configs);
    step(vrrp::InterfaceChanged{link});
    step(vrrp::ConfigReplaced{routers, std::nullopt});
  }
  void wait(Duration duration) {
    const auto until = now + duration;
    for (auto deadline = engine.next_deadline(); deadline && *deadline <= until;
         deadline = engine.next_deadline()) {
      now = std::max(now, *deadline);
      step(vrrp::Tick{});
    }
    now = until;
  }
  Recording recording() const { return decode(recorder.contents()).value(); }
};

Lines replayed(const Recording& recording) {
  vrrp::Engine engine;
  Lines did;
  for (const auto& entry : recording.entries)
    for (const auto& line : describe(engine.step(entry.when, entry.event))) did.push_back(line);
  return did;
}

Recording through_text(const Recording& recording) {
  const auto parsed = parse(to_text(recording));
  REQUIRE_MESSAGE(parsed, (parsed ? "" : parsed.error().message));
  return *parsed;
}

vrrp::VirtualRouterConfig checked() {
  auto config = c4();
  config.checks = {{"web/nginx", -60, false}, {"web/disk", 0, true}};
  config.announce = {3, 30s};
  config.checksum = vrrp::ChecksumMode::pseudo_header;
  config.preempt_mode = false;
  config.max_adopted_interval = 7s;
  return config;
}

// Engine inputs of every kind.
Recorded eventful() {
  Recorded run;
  run.start({checked(), c6()});
  run.step(vrrp::HealthChanged{{"web/nginx", true, -5, "200 \"OK\"\n# no comment", run.now}});
  run.step(vrrp::HealthChanged{{"web/disk", true, std::nullopt, "", run.now}});
  run.wait(5s);
  run.step(message({.priority = 200, .checksum = vrrp::ChecksumForm::pseudo_header}));
  run.wait(100ms);
  run.step(message({.priority = 200, .checksum = vrrp::ChecksumForm::pseudo_header}));
  auto cut = message({.priority = 255});
  cut.payload.resize(5);
  cut.truncated = true;
  run.step(cut);
  run.step(vrrp::AddressClaimed{"eth0", ip("192.0.2.100"), mac("02:00:00:00:00:66"), 3});
  run.step(vrrp::SenderIdentified{"eth0", ip("192.0.2.2"), mac("02:00:00:00:00:02")});
  run.wait(10s);
  run.step(vrrp::AddressFailed{{"eth0", 51, Family::ipv4}, prefix("192.0.2.100/24"), "no space left"});
  run.link.addresses.push_back({prefix("2001:db8::64/64"), true, false, true});
  run.step(vrrp::InterfaceChanged{run.link});
  run.step(vrrp::SwitchRequested{"edge"});
  run.wait(1s);
  run.step(vrrp::SwitchBackRequested{"edge"});
  run.step(vrrp::InterfaceChanged{Interface{.name = "eth0"}});
  run.step(vrrp::InterfaceChanged{run.link});
  run.step(vrrp::ConfigReplaced{{c4()}, run.engine.snapshot()});
  run.wait(5s);
  run.step(vrrp::Shutdown{});
  run.wait(5s);
  return run;
}

std::string complaint(const std::string& text) {
  const auto parsed = parse(text);
  return parsed ? "" : parsed.error().message;
}

const std::string head = "recording 1\n";
const std::string good_router =
    "0.0 router edge interface=eth0 vrid=51 family=IPv4 priority=100 interval=1s max_adopted_interval=0s "
    "preempt_mode=true checksum=auto dead_man=3s repeat=5 refresh=60s address=192.0.2.10/24";
const std::string good_adopted =
    "0.0 adopted eth0 vrid=51 family=IPv4 state=Backup priority=100 since=-1.0 interval=1s deadline=1.0 "
    "yielded=false reason=started";

std::string with(const std::string& line, const std::string& before, const std::string& after) {
  auto changed = line;
  const auto place = changed.find(before);
  REQUIRE(place != std::string::npos);
  changed.replace(place, before.size(), after);
  return head + changed + "\n0.0 configure adopt=true\n";
}
}  // namespace

TEST_CASE("a recording replays step by step with the same result, also after conversion to text and back") {
  auto run = eventful();
  REQUIRE(run.did.size() > 40);
  const auto recording = run.recording();
  CHECK(replayed(recording) == run.did);
  CHECK(replayed(through_text(recording)) == run.did);
  const auto text = to_text(recording);
  CHECK(to_text(through_text(recording)) == text);
}

TEST_CASE("the recorder keeps a bounded amount, at least half of it filled with the latest inputs") {
  constexpr std::size_t capacity = 16 << 10;
  Recorded run(capacity);
  run.start({c4()});
  run.wait(20s);
  for (int i = 0; i < 20'000; ++i) {
    run.step(message({.priority = 50, .interval = Centiseconds{1 + i % 700}}));
    run.wait(10ms);
    if (i % 100 == 0) CHECK(run.recorder.contents().size() < capacity + 1024);
  }
  const auto recording = run.recording();
  CHECK(run.recorder.contents().size() >= capacity / 2);
  CHECK(recording.entries.size() > 80);
  CHECK(recording.entries.back().when >= run.now - 1s);
  // It begins with a checkpoint: the engine continues as Active.
  CHECK(std::holds_alternative<vrrp::InterfaceChanged>(recording.entries[0].event));
  CHECK(std::get<vrrp::ConfigReplaced>(recording.entries[1].event).adopted.has_value());
  vrrp::Engine engine;
  for (const auto& entry : through_text(recording).entries) engine.step(entry.when, entry.event);
  CHECK(engine.status(run.now).routers.at(0).state == vrrp::StateName::active);
}

TEST_CASE("a change of state after a checkpoint is replayed as it was") {
  Recorded run(16 << 10);
  run.start({c4()});
  run.wait(20s);
  while (run.recorder.contents().size() < 12'000) run.wait(1s);
  for (int i = 0; i < 600; ++i) run.wait(1s);
  run.did.clear();
  run.step(message({.priority = 200}));
  run.step(message({.priority = 200}));
  run.wait(10s);
  const auto again = replayed(through_text(run.recording()));
  REQUIRE(again.size() > run.did.size());
  CHECK(Lines(again.end() - static_cast<std::ptrdiff_t>(run.did.size()), again.end()) == run.did);
}

TEST_CASE("a replay explains each change of state") {
  auto run = eventful();
  const auto text = to_text(replay(run.recording()));
  for (const auto* expected : {
           "   0.000 > eth0 is up and running, 2 addresses of its own\n",
           "   0.000 > configured: 2 virtual routers\n",
           "   0.000 > check web/nginx is up (priority -5): 200",
           "> 192.0.2.2 advertises priority 200 every 1s (edge/IPv4)\n",
           "edge/IPv4 Active -> Backup: 192.0.2.2 advertises priority 200, higher than our 95\n",
           "edge/IPv4 | The last advertisement came from 192.0.2.2, 0 s ago, with priority 200.\n",
           "edge/IPv4 | Priority: base priority 100.\n",
           "> the kernel refuses 192.0.2.100/24: no space left\n",
           "> switch edge\n",
           "> shutdown requested\n",
           ", continued from an earlier vipd-router\n",
       })
    CHECK_MESSAGE(text.find(expected) != std::string::npos, "\"" << expected << "\" is not in\n" << text);
}

TEST_CASE("a replay shows the inputs about the interface, other senders and a hold by the guardian") {
  const auto recording =
      parse(head +
            "0.0 interface eth0 index=2 up=true running=false mtu=1500 mac=02:00:00:00:00:01 address=\"\"\n" +
            good_router +
            "\n0.0 configure adopt=false\n"
            "1.0 packet eth0 from=192.0.2.2 to=224.0.0.18 hop=64 data=3133640100640000c000020a\n"
            "2.0 held eth0 vrid=51 family=IPv4 due=3.0\n");
  REQUIRE_MESSAGE(recording, (recording ? "" : recording.error().message));
  const auto text = to_text(replay(*recording));
  for (const auto* expected : {
           "   0.000 > eth0 is up, without carrier, 0 addresses of its own\n",
           "   1.000 > discarded a message from 192.0.2.2: hop_limit\n",
           "   2.000 > vipd-router stalled; the guardian advertised in its place\n",
       })
    CHECK_MESSAGE(text.find(expected) != std::string::npos, "\"" << expected << "\" is not in\n" << text);
}

TEST_CASE("each error in a recording is reported with its line and a remedy") {
  struct Case {
    std::string text;
    std::string message;
  };
  const std::string configure = "\n0.0 configure adopt=false\n";
  const std::vector<Case> cases{
      {"", "line 1: this is not a recording: it must begin with \"recording 1\"; vipctl record writes one"},
      {"router a\n",
       "line 1: this is not a recording: it must begin with \"recording 1\"; vipctl record writes one"},
      {"# x\nrecording 2\n",
       "line 2: \"recording 2\" is another version of the format: this vipctl reads \"recording 1\""},
      {head + "tick\n", "line 2: \"tick\" is not a time: write seconds, such as 3.609375"},
      {head + "1.0000000001 tick\n",
       "line 2: \"1.0000000001\" is not a time: write seconds, such as 3.609375"},
      {head + "-1.0 tick\n",
       "line 2: the time is negative: write the seconds since the beginning of the recording"},
      {head + "1.0\n", "line 2: the line has only a time: add a word such as tick or packet"},
      {head + "2.0 tick\n1.0 tick\n",
       "line 3: the time is earlier than that of the line above: put the lines in order"},
      {head + "1.0 tock\n", "line 2: unknown word \"tock\": did you mean \"tick\"?"},
      {head + "1.0 frobnicate\n",
       "line 2: unknown word \"frobnicate\": the words are tick, packet, interface, check, router, adopted, "
       "known-check, configure, claim, sender, failed, held, switch, switch-back, shutdown"},
      {head + "1.0 check\n",
       "line 2: the name of the check is missing after \"check\": write it before the fields"},
      {head + "1.0 tick now\n", "line 2: unexpected \"now\" after \"tick\": remove it"},
      {head + "1.0 tick a=b\n", "line 2: unknown field \"a\" of \"tick\": it has no fields"},
      {head + "1.0 switch\n",
       "line 2: the name of the virtual router is missing after \"switch\": write it before "
       "the fields"},
      {head + "1.0 switch \"edge\n", "line 2: a quote is not closed: end the text with \""},
      {head + "1.0 claim eth0 address=192.0.2.1 mac=02:00:00:00:00:01\n",
       "line 2: times is missing: write times=..."},
      {head + "1.0 claim eth0 address=192.0.2.1 address=192.0.2.1\n",
       "line 2: duplicate field \"address\": remove one"},
      {head + "1.0 claim eth0 address=192.0.2.1 mac=02:00:00:00:00:01 times=0\n",
       "line 2: times must be 1 to 2147483647, not 0"},
      {head + "1.0 claim eth0 address=192.0.2.1 mac=02:00:00:00:00:01 times=x\n",
       "line 2: times: \"x\" is not a number: write decimal digits"},
      {head + "1.0 packet eth0 from=192.0.2.1 to=224.0.0.18 hop=255 data=313\n",
       "line 2: data is not hexadecimal: write two digits for each byte"},
      {head + "1.0 packet eth0 from=192.0.2.1 to=ff02::12 hop=255 data=31\n",
       "line 2: from and to have different address families: correct one of them"},
      {head + good_router + "\n",
       "the last router, adopted or known-check lines have no effect: end with a configure line"},
      {head + good_router + "\n" + good_router + configure,
       "line 3: duplicate router VRID 51 on eth0 (IPv4): remove one"},
      {head + good_adopted + configure,
       "line 3: there are adopted or known-check lines above: write adopt=true, or remove them"},
      {with(good_router, "priority=100", "priority=0"), "line 2: priority must be 1 to 255, not 0"},
      {with(good_router, "interval=1s", "interval=1"),
       "line 2: interval: \"1\" has no unit: write 1ms, 1s or 1m"},
      {with(good_router, "interval=1s", "interval=5ms"), "line 2: interval must be 10ms to 40.95s, not 5ms"},
      {with(good_router, "preempt_mode=true", "preempt_mode=yes"),
       "line 2: preempt_mode must be true or false, not \"yes\""},
      {with(good_router, "checksum=auto", "checksum=right"),
       "line 2: checksum must be one of auto, rfc9568, pseudo_header, not \"right\""},
      {with(good_router, "address=192.0.2.10/24", "address=\"\""),
       "line 2: a virtual router has 1 to 255 addresses"},
      {with(good_router, "192.0.2.10/24", "2001:db8::10/64"),
       "line 2: 2001:db8::10/64 has the other address family: write a router line of its own for it"},
      {with(good_router, "192.0.2.10/24", "192.0.2.10/24,192.0.2.10/24"),
       "line 2: duplicate address 192.0.2.10/24: remove one"},
      {with(good_router, "repeat=5", "repeats=5"), "line 2: repeat is missing: write repeat=..."},
      {with(good_router, "repeat=5", "repeat=5 prio=3"),
       "line 2: unknown field \"prio\" of \"router\": its fields are address, "
       "checksum, dead_man, family, interface, interval, "
       "max_adopted_interval, preempt_mode, priority, refresh, "
       "repeat, vrid"},
      {with(good_adopted, "deadline=1.0", "deadline=never"),
       "line 2: deadline=never is valid only for state=Initialize"},
      {with(good_adopted, "state=Backup", "state=Master"),
       "line 2: state must be one of Initialize, Backup, Active, not \"Master\""},
  };
  for (const auto& each : cases) CHECK(complaint(each.text) == each.message);
}

TEST_CASE("comments, empty lines and everything below a line of dashes are ignored") {
  const auto parsed = parse("# of a Tuesday\n\nrecording 1\n" + good_router +
                            "  # the usual\n0.0 configure adopt=false\n\n----\nwhat follows\n");
  REQUIRE(parsed);
  CHECK(parsed->entries.size() == 1);
  CHECK(is_recording("# of a Tuesday\n\nrecording 1\n"));
  CHECK_FALSE(is_recording("# recording\nrouter a\n"));
}

TEST_CASE("damaged bytes of the recorder are either rejected or replayed") {
  auto run = eventful();
  const auto bytes = run.recorder.contents();
  for (std::size_t size = 0; size < bytes.size(); ++size) (void)decode(std::span(bytes).first(size));
  CHECK_FALSE(decode({}));
  CHECK(decode(std::span(bytes).first(bytes.size() - 1)).error().message ==
        "the recording is damaged: use the vipctl that belongs to the running vipd");
  auto other = bytes;
  ++other[7];
  CHECK(decode(other).error().message.starts_with("the recording has version "));
  other = bytes;
  other[0] = 'x';
  CHECK(decode(other).error().message == "this is not a recording of vipd-router");
  for (std::size_t i = 8; i < bytes.size(); i += 7) {
    auto damaged = bytes;
    damaged[i] ^= 0xff;
    if (const auto decoded = decode(damaged))
      if (const auto parsed = parse(to_text(*decoded))) (void)replay(*parsed);
  }
}

TEST_CASE("a text with a change anywhere is either rejected with a line or replayed") {
  auto run = eventful();
  const auto text = to_text(run.recording());
  int refused = 0;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    auto changed = text;
    changed[i] = static_cast<char>(changed[i] ^ 0x11);
    const auto parsed = parse(changed);
    if (parsed) {
      (void)replay(*parsed);
      continue;
    }
    ++refused;
    const auto& message = parsed.error().message;
    CHECK_MESSAGE((message.starts_with("line ") || message.starts_with("the last router")), message);
  }
  CHECK(refused > 100);
}

TEST_CASE("vipctl replay: 0 and the replay, 1 and the line of an error, 2 for a file that cannot be read") {
  const std::string path = "/tmp/vipd-recording-test-" + std::to_string(getpid());
  const auto write = [&](const std::string& text) { std::ofstream(path) << text; };
  std::ostringstream out;
  std::ostringstream err;
  write(to_text(eventful().recording()));
  CHECK(ctl::replay(path, false, out, err) == ctl::replay_ok);
  CHECK(out.str().find("Backup -> Active") != std::string::npos);
  CHECK(err.str().empty());
  out.str("");
  CHECK(ctl::replay(path, true, out, err) == ctl::replay_ok);
  CHECK(out.str().starts_with("[\n"));
  write(head + "1.0 tock\n");
  CHECK(ctl::replay(path, false, out, err) == ctl::replay_bad);
  CHECK(err.str() == path + ": line 2: unknown word \"tock\": did you mean \"tick\"?\n");
  std::remove(path.c_str());
  err.str("");
  CHECK(ctl::replay(path, false, out, err) == ctl::replay_unreadable);
  CHECK(err.str() == "vipctl: reading " + path + ": No such file or directory\n");
}

TEST_CASE("a time that no clock has makes a recording damaged") {
  for (const auto time : {TimePoint::min(), TimePoint::max()}) {
    Recorder recorder(1000, [] { return std::vector<vrrp::Input>{}; });
    recorder.record(time, vrrp::Tick{});
    CHECK(decode(recorder.contents()).error().message ==
          "the recording is damaged: use the vipctl that belongs to the running vipd");
  }
}

TEST_CASE("a check whose name could not be written again is rejected") {
  const std::string router =
      "recording 1\n0 router edge interface=eth0 vrid=51 family=IPv4 priority=100 interval=1s "
      "max_adopted_interval=3s preempt_mode=true checksum=auto dead_man=3s repeat=5 refresh=1m "
      "address=192.0.2.10/24 ";
  CHECK(parse(router + "check-web/nginx=-60\n0 configure adopt=false\n"));
  CHECK(parse(router + "check-=-60\n").error().message ==
        "line 2: \"\" is not a valid name for a check: use letters, digits, and . _ - /");
  CHECK_FALSE(parse(router + "check-\\=-60\n"));
}

TEST_CASE("a control character, which would not be written again, is rejected") {
  const auto refusal = [](const std::string& line) {
    return parse("recording 1\n" + line + "\n").error().message;
  };
  const std::string why =
      "line 2: a text contains a control character: remove it, or write \\n for a line break";
  CHECK(refusal("1 check \"a\tb\" healthy=true since=1 detail=x") == why);
  CHECK(refusal(std::string("1 check a\0 healthy=true since=1 detail=x", 41)) == why);
  CHECK(refusal("1 check a healthy=true since=1 detail=\"\033[2J\"") == why);
  CHECK(parse("recording 1\n1\tcheck a healthy=true since=1 detail=\"x\\ny\"\r\n"));
}
