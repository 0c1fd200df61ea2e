#include "conf/changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/diagnostics.h"
#include "base/node.h"
#include "conf/print.h"
#include "conf/yaml.h"
#include "conf/yaml_writer.h"

namespace vipd::conf {

namespace {

// What a change of a key causes. An empty text: nothing beyond the new value itself.
struct Consequence {
  std::string_view key;
  std::string_view text;
  bool interrupts = false;
};

constexpr std::string_view another_router =
    "its peers see another virtual router: this node hands over the old one and joins the new one; until all "
    "nodes are reloaded, two may be Active";
constexpr std::string_view list_differs =
    "until the peers are reloaded too, the address lists differ: vipd and RFC 9568 accept that, "
    "but keepalived before 2.3.3 drops advertisements with another list, so that both nodes become Active";
constexpr Consequence of_routers[] = {
    {"interface", another_router, true},
    {"vrid", another_router, true},
    {"priority", "the nodes compare their priorities again, without interrupting service", false},
    {"advertisement_interval", "Backups adopt the interval of the Active; reload all nodes", false},
    {"preempt_mode", "takes effect with the next advertisement", false},
    {"checksum", "a peer that does not accept this checksum becomes Active too", true},
    {"link_local", list_differs, true},
    {"dead_man", "vipd renews the addresses with this lifetime", false},
};

constexpr std::string_view gives_up =
    "if it fails, this node gives up the addresses; without a Backup no node has them";

// The hooks of a file that does not configure any.
Node default_hooks() {
  const auto told = [](events::Severity severity, Duration timeout) {
    return Node::map({{"severity", Node::text(std::string(events::to_string(severity)))},
                      {"timeout", Node::text(vipd::to_string(timeout))}});
  };
  const events::Hooks hooks;
  const events::Webhook webhook;
  const events::Mail mail;
  auto all = told(hooks.severity, hooks.timeout);
  all.entries.push_back({"arguments", {}, Node::text("none")});
  all.entries.push_back({"systemd", {}, Node::map({{"start", Node::list({})}, {"stop", Node::list({})}})});
  all.entries.push_back({"webhook", {}, told(webhook.severity, webhook.timeout)});
  all.entries.push_back({"mail", {}, told(mail.severity, mail.timeout)});
  return all;
}

std::string_view word(Change::Kind kind) {
  switch (kind) {
    case Change::Kind::added: return "added";
    case Change::Kind::removed: return "removed";
    case Change::Kind::changed: break;
  }
  return "changed";
}

Node canonical(const Config& config) {
  const auto text = print(config);
  Diagnostics diagnostics("", text);
  return read_yaml(text, diagnostics).value_or(Node{});
}

// The value on one line, as it could be written in the file.
std::string in_words(const Node& node) {
  if (node.type == Node::Type::scalar) return yaml_scalar(node);
  std::string text;
  if (node.type == Node::Type::sequence) {
    for (const auto& item : node.items) text += (text.empty() ? "" : ", ") + in_words(item);
    return "[" + text + "]";
  }
  for (const auto& entry : node.entries)
    text += (text.empty() ? "" : ", ") + yaml_scalar(entry.key) + ": " + in_words(entry.value);
  return "{" + text + "}";
}

class Comparison {
 public:
  std::vector<Change> run(const Config& before, const Config& after) {
    const auto old_tree = canonical(before);
    const auto new_tree = canonical(after);
    compare_entries(old_tree.find("virtual_routers"), new_tree.find("virtual_routers"), "virtual router ");
    compare_entries(old_tree.find("virtual_servers"), new_tree.find("virtual_servers"), "virtual server ");
    compare_section("events", old_tree, new_tree);
    foretell_journal(before.events, after.events);
    compare_section("metrics", old_tree, new_tree);
    compare_hooks("hooks", old_tree.find("hooks"), new_tree.find("hooks"));
    return std::move(changes_);
  }

 private:
  // Calls each(name, old or nullptr, new or nullptr): the new entries in their order, then the removed ones.
  template <class Each>
  static void for_both(const Node* before, const Node* after, Each each) {
    if (after)
      for (const auto& entry : after->entries)
        each(entry.key, before ? before->find(entry.key) : nullptr, &entry.value);
    if (before)
      for (const auto& entry : before->entries)
        if (!after || !after->find(entry.key)) each(entry.key, &entry.value, nullptr);
  }

  void compare_entries(const Node* before, const Node* after, const std::string& kind) {
    const bool routers = kind == "virtual router ";
    if (routers && before)
      for (const auto& entry : before->entries) routers_before_.insert(entry.key);
    for_both(before, after, [&](const std::string& name, const Node* old_entry, const Node* new_entry) {
      const auto subject = kind + name;
      if (!old_entry) {
        add(Change::Kind::added, subject, {}, nullptr, nullptr,
            routers ? "it starts as Backup and listens first; each of its checks counts from its first result"
                    : "");
      } else if (!new_entry) {
        add(Change::Kind::removed, subject, {}, nullptr, nullptr,
            routers ? "this node hands the addresses over to its peers; without a peer no node has them" : "",
            routers);
      } else {
        compare_keys(subject, name, *old_entry, *new_entry);
        return;
      }
      compare_checks(name, old_entry ? old_entry->find("checks") : nullptr,
                     new_entry ? new_entry->find("checks") : nullptr, serves(name, kind, new_entry));
    });
  }

  // An absent section has its defaults.
  void compare_section(const std::string& name, const Node& before, const Node& after) {
    const auto keys = [&](const Node& tree) {
      const Node* const section = tree.find(name);
      return section ? *section : Node::map({});
    };
    compare_keys(name, name, keys(before), keys(after));
  }

  void compare_keys(const std::string& subject, const std::string& name, const Node& before,
                    const Node& after) {
    for_both(&before, &after, [&](const std::string& key, const Node* old_value, const Node* new_value) {
      if (key == "checks") return compare_checks(name, old_value, new_value, true);
      if (key == "hooks") return compare_hooks("hooks of " + subject, old_value, new_value);
      if (old_value && new_value && *old_value == *new_value) return;
      if (key == "addresses") return compare_lists(subject, "address", *old_value, *new_value, list_differs);
      const bool lists = old_value && new_value && old_value->type == Node::Type::sequence;
      if (key == "listen" && lists) return compare_lists(subject, "listener", *old_value, *new_value, {});
      const auto* const found = std::find_if(std::begin(of_routers), std::end(of_routers),
                                             [&](const Consequence& each) { return each.key == key; });
      const bool known = found != std::end(of_routers);
      add(Change::Kind::changed, subject, key, old_value, new_value, known ? found->text : "",
          known && found->interrupts);
    });
  }

  // Compares key by key, including the keys of webhook and mail. Hooks that are added or removed are compared
  // with the defaults, so that only keys that the file sets appear.
  void compare_hooks(const std::string& subject, const Node* before, const Node* after) {
    static const auto defaults = default_hooks();
    compare_values(subject, {}, before, after, defaults);
  }

  void compare_values(const std::string& subject, const std::string& above, const Node* before,
                      const Node* after, const Node& defaults) {
    for_both(before ? before : &defaults, after ? after : &defaults,
             [&](const std::string& key, const Node* old_value, const Node* new_value) {
               static const Node nothing = Node::map({});
               const auto* const known = defaults.find(key);
               const bool has_keys = (old_value && old_value->type == Node::Type::map) ||
                                     (new_value && new_value->type == Node::Type::map);
               if (has_keys)
                 compare_values(subject, above + key + ".", old_value, new_value, known ? *known : nothing);
               else if (!old_value || !new_value || *old_value != *new_value)
                 add(Change::Kind::changed, subject, above + key, old_value, new_value, "");
             });
  }

  void foretell_journal(const EventsSection& before, const EventsSection& after) {
    for (auto& change : changes_) {
      if (change.subject != "events") continue;
      if (change.key == "directory")
        change.consequence = "a new journal starts there; the events kept so far stay in the old directory";
      else if (change.key == "max_size" ? after.limits.size < before.limits.size
                                        : after.limits.age < before.limits.age)
        change.consequence = change.key == "max_size" ? "the oldest events are removed until the rest fits"
                                                      : "older events are removed";
    }
  }

  void compare_lists(const std::string& subject, const std::string& what, const Node& before,
                     const Node& after, std::string_view consequence) {
    const auto contains = [](const Node& list, const Node& item) {
      return std::find(list.items.begin(), list.items.end(), item) != list.items.end();
    };
    const auto size = changes_.size();
    for (const auto& item : after.items)
      if (!contains(before, item)) add(Change::Kind::added, subject, what, nullptr, &item, "");
    for (const auto& item : before.items)
      if (!contains(after, item))
        add(Change::Kind::removed, subject, what, &item, nullptr, "", !consequence.empty());
    if (changes_.size() == size)
      add(Change::Kind::changed, subject, what == "address" ? "order of addresses" : "order of listeners",
          &before, &after, "");
    changes_.back().consequence = consequence;
    changes_.back().interrupts |= !consequence.empty();
  }

  // Whether a new entry belongs to a virtual router that exists already.
  bool serves(const std::string& name, const std::string& kind, const Node* entry) const {
    if (kind == "virtual router ") return routers_before_.contains(name);
    const Node* const router = entry ? entry->find("router") : nullptr;
    return router && routers_before_.contains(router->scalar);
  }

  // serves: the virtual router may have its addresses on this node.
  void compare_checks(const std::string& owner, const Node* before, const Node* after, bool serves) {
    for_both(before, after, [&](const std::string& name, const Node* old_check, const Node* new_check) {
      const auto subject = "check " + owner + "/" + name;
      const bool may_give_up =
          new_check && new_check->find("on_failure") && new_check->find("on_failure")->scalar == "initialize";
      if (!old_check) {
        std::string follows = "it counts as up until its first result";
        if (may_give_up) follows += fmt::format("; {}", gives_up);
        return add(Change::Kind::added, subject, {}, nullptr, nullptr, follows, may_give_up && serves);
      }
      if (!new_check) return add(Change::Kind::removed, subject, {}, nullptr, nullptr, "");
      for_both(old_check, new_check,
               [&](const std::string& key, const Node* old_value, const Node* new_value) {
                 if (!old_value || !new_value || *old_value != *new_value)
                   add(Change::Kind::changed, subject, key, old_value, new_value,
                       key == "on_failure" && may_give_up ? gives_up : "");
               });
    });
  }

  void add(Change::Kind kind, std::string subject, std::string key, const Node* before, const Node* after,
           std::string_view consequence, bool interrupts = false) {
    changes_.push_back({kind, std::move(subject), std::move(key), before ? in_words(*before) : "",
                        after ? in_words(*after) : "", std::string(consequence), interrupts});
  }

  std::vector<Change> changes_;
  std::set<std::string> routers_before_;
};

}  // namespace

std::vector<Change> changes(const Config& before, const Config& after) {
  return Comparison().run(before, after);
}

std::string to_text(const Change& change) {
  std::string text = change.subject;
  if (change.key.empty())
    text += fmt::format(" {}", word(change.kind));
  else if (change.kind != Change::Kind::changed)
    text += fmt::format(": {} {} {}", change.key, change.before + change.after, word(change.kind));
  else
    text += fmt::format(": {} {} -> {}", change.key, change.before.empty() ? "(none)" : change.before,
                        change.after.empty() ? "(none)" : change.after);
  if (!change.consequence.empty()) text += "\n    " + change.consequence;
  return text;
}

std::string without_interface(const RouterEntry& router) {
  return fmt::format(
      "virtual router {}: this node has no interface {}; "
      "the virtual router stays in Initialize until it appears",
      router.name, router.interface);
}

}  // namespace vipd::conf
