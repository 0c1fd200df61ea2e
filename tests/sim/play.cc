#include "tests/sim/play.h"

#include <fmt/format.h>

#include <algorithm>

namespace vipd::sim {

namespace {
using namespace std::chrono_literals;

Random& stirred(Random& random) {
  random.next();
  return random;
}
}  // namespace

Play::Play(std::uint64_t seed, bool recording)
    : random_(seed), lan_(draw_setup(stirred(random_)), Random(random_.next()), recording) {}

void Play::run() {
  begin();
  calm();
  while (!done() && simulated() < least_time) {
    if (random_.chance(60)) {
      wild();
      heal();
      calm();
    }
    if (random_.chance(60)) {
      crashes();
      heal();
      calm();
    }
    if (random_.chance(70)) {
      plans();
      calm();
    }
  }
}

std::string Play::status() const {
  std::string text;
  for (const auto& host : lan_.hosts())
    for (std::size_t group = 0; group < setup().groups.size(); ++group) {
      const auto& [entry, key, pool] = setup().groups[group];
      const auto& router = host->router(group);
      text += fmt::format("         {} {}/{}: {}{}{}{}, priority {}, every {}{}{}{}\n", host->name(),
                          setup().entries[entry], to_string(key.family),
                          !host->alive()                     ? "not running, "
                          : host->program() == Program::held ? "held, "
                                                             : "",
                          to_string(router.state), host->awake() ? "" : ", asleep",
                          host->kernel().usable() ? "" : ", without a link", host->due_priority(entry),
                          vipd::to_string(Duration(host->running(entry).interval)),
                          host->running(entry).preempt_mode ? "" : ", no preempt",
                          router.yielded ? ", has given way" : "", host->answers(group) ? ", answers" : "");
    }
  return text;
}

// --- helpers ---

Host& Play::any_host() {
  return *lan_.hosts()[static_cast<std::size_t>(random_.below(static_cast<int>(lan_.hosts().size())))];
}

Host* Play::active_host(std::size_t entry) {
  for (std::size_t group = 0; group < setup().groups.size(); ++group)
    for (const auto& host : lan_.hosts())
      if (setup().groups[group].entry == entry && host->active(group)) return host.get();
  return nullptr;
}

bool Play::plain_there() const {
  return std::any_of(setup().hosts.begin(), setup().hosts.end(), [](const auto& each) { return each.plain; });
}

Duration Play::unit() const {
  Duration longest{};
  for (const auto& host : lan_.hosts())
    for (const auto& entry : host->settings) longest = std::max(longest, Duration(entry.interval));
  return longest;
}

// --- phases ---

void Play::begin() {
  lan_.judge().fault(Fault::network);
  for (const auto& host : lan_.hosts()) {
    host->start(false);
    if (random_.chance(70)) lan_.run_for(units(0, 300));
  }
  lan_.judge().fault(Fault::network);
}

void Play::heal() {
  lan_.say("", "> all is healed");
  lan_.forget_plans();
  std::size_t alive = 0;
  for (const auto& host : lan_.hosts()) {
    host->die_in_next_turn(false);
    host->wake_now();
    host->refuse(false);
    host->set_link(true, true, true);
    host->set_own_addresses(true);
    if (host->program() == Program::held) host->start(true);
    if (!host->alive() && random_.chance(80)) host->start(random_.chance(30) && !host->setup().plain);
    host->clean_up();
    alive += host->alive();
  }
  if (alive == 0) any_host().start(false);
  for (const auto& host : lan_.hosts())
    for (const auto& [check, good] : host->healthy)
      if (!good && random_.chance(70)) host->set_check(check, true);
  for (std::size_t from = 0; from < lan_.hosts().size(); ++from)
    for (std::size_t to = 0; to < lan_.hosts().size(); ++to) lan_.set_passage(from, to, true);
  lan_.set_weather({});
  lan_.judge().fault(Fault::network);
  lan_.judge().fault(Fault::process);
}

// Long enough for everything to find its place; the Judge looks closely at the end.
void Play::calm() {
  lan_.judge().new_phase();
  const auto drained = std::max(Duration::zero(), lan_.last_arrival() - lan_.now());
  lan_.run_for(drained + lan_.judge().settling() + setup().moment());
  lan_.run_for(units(0, 400));
}

void Play::wild() {
  const int faults = random_.between(3, 25);
  for (int i = 0; i < faults && !done(); ++i) {
    lan_.judge().fault(Fault::network);
    if (random_.chance(50))
      network_fault();
    else
      process_fault();
    lan_.run_for(random_.chance(60) ? units(0, 150) : units(100, 800));
  }
  lan_.judge().fault(Fault::network);
}

// Messages get through: the lease and the wait of three intervals must do what they are for.
void Play::crashes() {
  const int faults = random_.between(2, 10);
  for (int i = 0; i < faults && !done(); ++i) {
    lan_.judge().fault(Fault::process);
    process_fault();
    lan_.run_for(random_.chance(50) ? units(0, 200) : units(200, 1200));
  }
  lan_.judge().fault(Fault::process);
}

void Play::plans() {
  const int moves = random_.between(1, 6);
  for (int i = 0; i < moves && !done(); ++i) {
    lan_.judge().planned();
    while (!plan()) {
    }
    lan_.judge().planned();
    if (random_.chance(40))
      lan_.run_for(units(0, 200));
    else
      calm();
  }
}

// --- faults ---

void Play::network_fault() {
  const int dice = random_.below(100);
  if (dice < 25) return new_weather();
  if (dice < 49) return new_passages();
  if (dice < 52) return forge();
  if (dice < 55) return announce_as_stranger();
  if (dice < 60) return filter();
  if (dice < 70) return meddle();
  if (dice < 80) return change_settings(true);
  if (dice < 84) return change_intervals();
  if (dice < 88) return change_addresses();
  if (dice < 94) return any_host().sleep(units(10, 1000), Sleep::paused);
  auto& host = any_host();
  host.refuse(true);
  lan_.at(lan_.now() + units(10, 500), [&host] { host.refuse(false); });
}

void Play::new_weather() {
  Weather weather;
  if (random_.chance(60)) weather.lost = random_.between(10, 600);
  if (random_.chance(30)) weather.doubled = random_.between(10, 500);
  if (random_.chance(50)) {
    weather.late = random_.between(10, 500);
    weather.longest = units(1, 500);
  }
  if (random_.chance(8)) weather.storm = random_.between(3, 20);
  lan_.say("", "> weather: " + std::to_string(weather.lost) + " permille lost, " +
                   std::to_string(weather.doubled) + " doubled, " + std::to_string(weather.late) +
                   " late by up to " + scenarios::seconds(weather.longest) + " s, " +
                   std::to_string(weather.storm) + " copies");
  lan_.set_weather(weather);
  lan_.at(lan_.now() + units(20, 1000), [this] {
    lan_.say("", "> weather: clear");
    lan_.set_weather({});
  });
}

void Play::filter() {
  const auto family = random_.pick({Family::ipv4, Family::ipv6});
  lan_.say("", fmt::format("> filter {}", to_string(family)));
  Weather weather;
  weather.filtered = family;
  lan_.set_weather(weather);
  lan_.at(lan_.now() + units(20, 3000), [this] {
    lan_.say("", "> weather: clear");
    lan_.set_weather({});
  });
}

// One family is lost for less than two Active_Down_Intervals less one interval, and everything is well
// otherwise: nobody moves.
bool Play::filter_for_a_while() {
  if (plain_there()) return false;
  for (const auto& host : lan_.hosts())
    for (std::size_t entry = 0; entry < setup().entries.size(); ++entry)
      if (host->running(entry).interval != lan_.hosts().front()->running(entry).interval ||
          setup().families(entry) < 2)
        return false;
  calm();
  if (done()) return true;
  Duration shortest = Duration::max();
  for (std::size_t entry = 0; entry < setup().entries.size(); ++entry)
    shortest = std::min(shortest, Duration(lan_.hosts().front()->running(entry).interval));
  Weather weather;
  weather.filtered = random_.pick({Family::ipv4, Family::ipv6});
  lan_.say("", fmt::format("> filter {}", to_string(*weather.filtered)));
  lan_.judge().nobody_moves(true);
  lan_.set_weather(weather);
  lan_.run_for(random_.between(shortest, shortest * 48 / 10));
  if (done()) return true;
  lan_.say("", "> weather: clear");
  lan_.set_weather({});
  lan_.judge().fault(Fault::network);
  lan_.judge().nobody_moves(false);
  return true;
}

void Play::new_passages() {
  const auto count = lan_.hosts().size();
  const auto set = [&](std::size_t from, std::size_t to, bool passes) {
    if (from == to) return;
    lan_.set_passage(from, to, passes);
  };
  const auto& host = any_host();
  std::string what;
  switch (random_.below(6)) {
    case 0:  // its cable
      what = "cut " + host.name();
      for (std::size_t i = 0; i < count; ++i) set(host.index(), i, false), set(i, host.index(), false);
      break;
    case 1:
      what = "mute " + host.name();
      for (std::size_t i = 0; i < count; ++i) set(host.index(), i, false);
      break;
    case 2:
      what = "deaf " + host.name();
      for (std::size_t i = 0; i < count; ++i) set(i, host.index(), false);
      break;
    case 3: {  // two halves
      what = "split:";
      std::vector<bool> side;
      for (std::size_t i = 0; i < count; ++i) side.push_back(random_.chance(50));
      for (std::size_t i = 0; i < count; ++i) what += side[i] ? " " + lan_.hosts()[i]->name() : "";
      for (std::size_t i = 0; i < count; ++i)
        for (std::size_t j = 0; j < count; ++j) set(i, j, side[i] == side[j]);
      break;
    }
    case 4:  // arbitrary: not every host hears every other
      what = "partly deaf:";
      for (std::size_t i = 0; i < count; ++i)
        for (std::size_t j = 0; j < count; ++j) {
          const bool passes = random_.chance(70);
          set(i, j, passes);
          if (!passes && i != j) what += " " + lan_.hosts()[i]->name() + "-" + lan_.hosts()[j]->name();
        }
      break;
    default:
      what = "connected";
      for (std::size_t i = 0; i < count; ++i)
        for (std::size_t j = 0; j < count; ++j) set(i, j, true);
  }
  lan_.say("", "> " + what);
  lan_.passage_changed();
}

void Play::process_fault() {
  auto* active = active_host(any_entry());
  auto& host = random_.chance(60) && active ? *active : any_host();
  const int dice = random_.below(100);
  if (!host.alive() && random_.chance(60)) return host.start(random_.chance(40) && !host.setup().plain);
  if (dice < 12) return restart(host, true);
  if (dice < 30) return restart(host, false);
  if (dice < 34) return host.die_in_next_turn(true);
  if (dice < 44) return host.sleep(random_.chance(50) ? units(250, 450) : units(5, 900), Sleep::frozen);
  if (dice < 54) return host.sleep(units(5, 900), Sleep::suspended);
  if (dice < 70) return flap();
  if (dice < 74) return host.power_off();
  if (dice < 80) return host.stop();
  if (dice < 90) return change_health();
  if (dice < 93) return change_settings(false);
  const auto entry = any_entry();
  if (dice < 97) return host.switch_away(entry);
  host.switch_back(entry);
}

// The program is gone for a while, or the guardian with it. The new one may know what the old one knew.
void Play::restart(Host& host, bool whole) {
  if (host.setup().plain) return host.power_off();
  if (host.program() != Program::vipd) return;
  host.crash(whole);
  const auto pause = random_.chance(50) ? random_.between(Duration(1ms), Duration(800ms)) : units(10, 900);
  const bool adopt = !whole || random_.chance(30);
  lan_.at(lan_.now() + pause, [&host, adopt] { host.start(adopt); });
}

void Play::flap() {
  auto& host = any_host();
  if (host.setup().plain) return;
  const auto back = lan_.now() + units(1, 600);
  switch (random_.below(5)) {
    case 0: host.set_link(true, false, false); break;
    case 1: host.set_link(true, true, false); break;
    case 2: host.set_link(false, false, false); break;
    case 3: return host.replace_link();
    default: host.set_own_addresses(false); return lan_.at(back, [&host] { host.set_own_addresses(true); });
  }
  lan_.at(back, [&host] { host.set_link(true, true, true); });
}

void Play::meddle() {
  auto& host = any_host();
  if (host.program() != Program::vipd) return;
  const auto& group =
      setup().groups[static_cast<std::size_t>(random_.below(static_cast<int>(setup().groups.size())))];
  const auto configured = static_cast<int>(host.running(group.entry).addresses);
  const auto& prefix = group.pool[static_cast<std::size_t>(random_.below(configured))];
  if (random_.chance(50))
    host.remove_by_hand(prefix);
  else if (host.setup().entries.front().priority != vrrp::owner_priority)  // whose own they would be
    host.add_by_hand(prefix);
}

// One advertisement of a stranger, or in the name of a host.
void Play::forge() {
  const auto number = static_cast<std::size_t>(random_.below(static_cast<int>(setup().groups.size())));
  const auto& group = setup().groups[number];
  const auto& host = any_host();
  const bool in_its_name = random_.chance(50);
  const auto text = group.key.family == Family::ipv4 ? "192.0.2.200" : "fe80::c8";
  const auto source =
      in_its_name ? host.kernel().own_address(group.key.family) : IpAddress::parse(text).value();
  vrrp::Advertisement advertisement;
  advertisement.vrid = group.key.vrid;
  advertisement.priority = static_cast<vrrp::Priority>(random_.pick({0, 255, random_.between(1, 254)}));
  advertisement.interval = host.running(group.entry).interval;
  // A plain router believes whatever it hears, and there is no bound to what it does then.
  if (!plain_there() && random_.chance(30)) advertisement.interval = Centiseconds{random_.between(1, 4095)};
  advertisement.addresses.push_back(group.pool.front().address);
  advertisement.checksum = vrrp::ChecksumForm::pseudo_header;
  lan_.say("", fmt::format("> forged: {} advertises {} every {}", to_string(source), advertisement.priority,
                           vipd::to_string(Duration(advertisement.interval))));
  lan_.judge().forged(number, advertisement.interval);
  if (in_its_name && advertisement.priority != vrrp::release_priority)
    lan_.judge().says(host, number, advertisement.priority);
  lan_.forge(source, vrrp::encode(advertisement, source, vrrp::multicast_group(group.key.family)));
}

void Play::announce_as_stranger() {
  const auto number = static_cast<std::size_t>(random_.below(static_cast<int>(setup().groups.size())));
  lan_.say("",
           fmt::format("> a stranger announces {}", to_string(setup().groups[number].pool.front().address)));
  lan_.announce_as_stranger(number, 0);
}

// --- what operators change ---

void Play::change_settings(bool network) {
  auto& host = any_host();
  if (host.setup().plain) return;
  auto& entry = host.settings[any_entry()];
  if (random_.chance(70) && entry.priority != vrrp::owner_priority)
    entry.priority = static_cast<vrrp::Priority>(random_.between(1, 254));
  if (random_.chance(20)) entry.preempt_mode = !entry.preempt_mode;
  if (network && random_.chance(20) && !plain_there())
    entry.addresses = static_cast<std::size_t>(random_.between(1, 3));
  if (network && random_.chance(20))
    entry.interval = Centiseconds{
        std::clamp<std::int64_t>(entry.interval.count() * random_.between(50, 200) / 100, 1, 500)};
  lan_.judge().intervals_change();
  host.reload();
}

// All hosts, one after the other.
void Play::change_intervals() {
  const auto entry = any_entry();
  const auto interval = lan_.hosts().front()->settings[entry].interval;
  const auto changed =
      Centiseconds{std::clamp<std::int64_t>(interval.count() * random_.between(40, 250) / 100, 1, 500)};
  for (const auto& host : lan_.hosts()) host->settings[entry].interval = changed;
  lan_.judge().intervals_change();
  for (const auto& host : lan_.hosts()) {
    host->reload();
    lan_.run_for(units(0, 50));
  }
}

void Play::change_addresses() {
  if (plain_there()) return;
  const auto entry = any_entry();
  const auto count = static_cast<std::size_t>(random_.between(1, 3));
  for (const auto& host : lan_.hosts()) {
    host->settings[entry].addresses = count;
    host->reload();
    lan_.run_for(units(0, 50));
  }
}

void Play::change_health() {
  auto& host = any_host();
  if (host.healthy.empty()) return;
  auto check = host.healthy.begin();
  std::advance(check, random_.below(static_cast<int>(host.healthy.size())));
  host.set_check(check->first, !check->second);
}

// False: there was nothing to do.
bool Play::plan() {
  const auto entry = any_entry();
  auto* active = active_host(entry);
  auto& host = random_.chance(50) && active ? *active : any_host();
  const auto alive =
      std::count_if(lan_.hosts().begin(), lan_.hosts().end(), [](const auto& each) { return each->alive(); });
  switch (random_.below(11)) {
    case 0:
      if (alive < 2 || !host.alive() || host.stopping()) return false;
      if (host.setup().plain)
        for (std::size_t i = 0; i < setup().entries.size(); ++i) lan_.judge().excuse_gap(i);
      host.stop();
      return true;
    case 1: {
      for (const auto& each : lan_.hosts())
        if (!each->alive()) {
          each->start(false);
          return true;
        }
      return false;
    }
    case 2:
      if (!active || active->setup().plain) return false;
      active->switch_away(entry);
      return true;
    case 3: host.switch_back(entry); return true;
    case 4:
    case 5: change_health(); return true;
    case 6: change_settings(false); return true;
    case 7: change_addresses(); return true;
    case 8: return filter_for_a_while();
    case 9: {  // the Active learns of the claim, and defends the address, in time
      calm();
      announce_as_stranger();
      lan_.run_for(std::chrono::seconds(11) + unit() * 4 + setup().moment());
      return true;
    }
    default: {  // the router program dies, and its guardian holds until there is another
      if (host.program() != Program::vipd || !host.setup().guarded || host.stopping()) return false;
      host.crash(false);
      if (host.program() != Program::held) lan_.judge().fault(Fault::process);
      lan_.run_for(random_.between(Duration(1ms), Duration(800ms)));
      host.start(true);
      return true;
    }
  }
}

}  // namespace vipd::sim
