#include "vrrp/telling.h"

namespace vipd::vrrp {

bool Telling::due(bool present, TimePoint now) {
  if (!present) {
    told_ = false;
    return false;
  }
  if (told_ || now < not_before_) return false;
  told_ = true;
  not_before_ = now + note_interval;
  return true;
}

}  // namespace vipd::vrrp
