#include "vrrp/checksum_choice.h"

namespace vipd::vrrp {

namespace {
constexpr int others_to_change = 3;
}

void ChecksumChoice::hear(TimePoint now, ChecksumForm form, Duration interval, bool active) {
  if (!heard_ && !active) heard_ = form;
  if (form == this->form()) {
    heard_ = form;
    others_ = 0;
    return;
  }
  if (others_ == 0) others_since_ = now;
  if (++others_ < others_to_change || now - others_since_ <= interval) return;
  heard_ = form;
  others_ = 0;
}

}  // namespace vipd::vrrp
