#include "programs/monitor/delivery.h"

#include <doctest/doctest.h>

#include "events/line.h"
#include "events/names.h"

using namespace vipd;
using namespace vipd::programs;
using namespace std::chrono_literals;

TEST_CASE("a webhook is signed with HMAC-SHA256, as RFC 4231 has it") {
  CHECK(webhook_signature(std::string(20, '\x0b'), "Hi There") ==
        "sha256=b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(webhook_signature("Jefe", "what do ya want for nothing?") ==
        "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST_CASE("pauses between attempts grow from a second to a minute") {
  CHECK(retry_pause(0) == Duration::zero());
  CHECK(retry_pause(1) == 1s);
  CHECK(retry_pause(2) == 2s);
  CHECK(retry_pause(5) == 16s);
  CHECK(retry_pause(7) == 60s);
  CHECK(retry_pause(1000) == 60s);
}

TEST_CASE("a mail says in its subject what has happened last, and has a line for each event") {
  events::Mail mail;
  mail.from = "vipd@example.com";
  mail.to = {"a@example.com", "b@example.com"};
  auto first = events::make_event(events::command, "switch edge");
  auto last = events::make_event(events::check_changed, "check web/nginx is down:\nstatus 502\r");
  first.time = last.time = events::parse_rfc3339("2026-11-21T11:27:00.123Z").value();
  last.id = "6920a1b2-17";
  const auto text = mail_text(mail, {first, last}, "web-a");
  CHECK(text.starts_with(
      "From: vipd@example.com\r\nTo: a@example.com, b@example.com\r\n"
      "Subject: P1 vipd on web-a: check_changed: check web/nginx is down:?status 502? (and 1 more)"
      "\r\nDate: Sat, 21 Nov 2026 11:27:00 +0000\r\nMessage-ID: <6920a1b2-17@web-a>\r\n"));
  CHECK(text.find("2026-11-21T11:27:00.123Z P2 command\r\n    switch edge\r\n") != std::string::npos);
  CHECK(text.find("check web/nginx is down:\r\n    status 502\r\n") != std::string::npos);
}

TEST_CASE("what an event says cannot add a line to the head of a mail") {
  events::Mail mail;
  mail.from = mail.to.emplace_back("a@example.com");
  auto event = events::make_event(events::command, "x\r\nBcc: everybody@example.com");
  event.router = "edge\r\nBcc: everybody@example.com";
  event.id = "1\r\nBcc: everybody@example.com";
  const auto text = mail_text(mail, {event}, "web-a\r\nBcc: everybody@example.com");
  const auto head = text.substr(0, text.find("\r\n\r\n"));
  CHECK(head.find("\r\nBcc:") == std::string::npos);
}
