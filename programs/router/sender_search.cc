#include "programs/router/sender_search.h"

#include <algorithm>

#include "programs/common/clock.h"

namespace vipd::programs {

namespace {
constexpr std::size_t most_searches = 4;
constexpr Duration longest_search = std::chrono::seconds(60);
}  // namespace

void SenderSearch::begin(const vrrp::IdentifySender& wanted, std::uint32_t interface_index) {
  const Sender sender{wanted.interface, wanted.sender};
  if (interface_index == 0 || searches_.size() >= most_searches || searches_.contains(sender)) return;
  auto tap = io::SenderTap::open(wanted.sender, interface_index);
  if (!tap) return log_.write_limited(Level::warning, "identify", tap.error().message);
  auto& search = searches_.emplace(sender, Search{std::move(*tap), now() + longest_search, {}}).first->second;
  expiry_ = std::min(expiry_, search.until);
  search.watch = loop_.watch(search.tap.fd(), [this, sender] { found(sender); });
}

void SenderSearch::found(const Sender& sender) {
  const auto search = searches_.find(sender);
  if (search == searches_.end()) return;
  if (const auto mac = search->second.tap.receive())
    report_(vrrp::SenderIdentified{sender.first, sender.second, *mac});
  end(search);
}

SenderSearch::Searches::iterator SenderSearch::end(Searches::iterator search) {
  search->second.watch.reset();
  discard_(search->second.tap.release());
  return searches_.erase(search);
}

void SenderSearch::expire(TimePoint now) {
  if (expiry_ > now) return;
  expiry_ = never;
  for (auto each = searches_.begin(); each != searches_.end();) {
    if (each->second.until <= now) {
      each = end(each);
    } else {
      expiry_ = std::min(expiry_, each->second.until);
      ++each;
    }
  }
}

}  // namespace vipd::programs
