// Timeline: what happened, when and to whom, in plain words; the text that a scenario is compared with.
#pragma once

#include <string>
#include <vector>

#include "base/time.h"

namespace vipd::scenarios {

class Timeline {
 public:
  explicit Timeline(TimePoint start) : start_(start) {}

  // A sentence of its own: "Backup -> Active: no Active has been heard".
  void say(TimePoint when, const std::string& who, const std::string& text);
  // A part of what `who` does at that moment; parts of one moment share a line.
  void add(TimePoint when, const std::string& who, const std::string& text);

  std::string text() const;

 private:
  struct Line {
    TimePoint when;
    std::string who;
    std::string text;
    bool open;  // takes more parts
  };
  TimePoint start_;
  std::vector<Line> lines_;
};

std::string seconds(Duration duration);  // "3.609"

}  // namespace vipd::scenarios
