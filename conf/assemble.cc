#include "conf/assemble.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/words.h"
#include "conf/variables.h"
#include "conf/yaml.h"

namespace vipd::conf {

namespace {

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash + 1);
}

// The host name without its domain: web-a for web-a.example.com.
std::string_view short_name(std::string_view name) {
  return name.substr(0, name.find('.'));
}

class Assembler {
 public:
  Assembler(const Surroundings& surroundings, Diagnostics& diagnostics)
      : surroundings_(surroundings), diagnostics_(diagnostics), variables_(surroundings, diagnostics) {}

  std::optional<Node> assemble(std::string_view text, std::vector<std::string>& nodes) {
    auto root = read_yaml(text, diagnostics_);
    if (!root) return std::nullopt;
    open_.push_back(diagnostics_.file());
    include(*root, diagnostics_.file());
    for (const auto& path : surroundings_.match(folder_of(diagnostics_.file()) + "conf.d/*.yaml"))
      if (auto more = read(path, {})) join(*root, std::move(*more));
    lay_over(*root, nodes);
    if (auto vars = take(*root, "vars")) variables_.define(*vars);
    variables_.replace(*root);
    return root;
  }

 private:
  // --- files

  // Returns nothing after reporting why the file cannot be read. asked: the place of the include; line 0 for
  // a file from conf.d.
  std::optional<Node> read(const std::string& path, const Place& asked) {
    const bool inside_of_itself = std::find(open_.begin(), open_.end(), path) != open_.end();
    if (inside_of_itself || open_.size() > deepest_inclusion || ++files_ > most_files) {
      diagnostics_.error(asked, inside_of_itself      ? path + " includes itself"
                                : files_ > most_files ? fmt::format("more than {} files", most_files)
                                                      : fmt::format("includes are nested more than {} deep",
                                                                    deepest_inclusion));
      return std::nullopt;
    }
    auto file = surroundings_.read(path);
    if (!file) {
      diagnostics_.error(
          asked, file.error().message,
          asked.line > 0 ? "a relative path starts at the directory of the file that contains it" : "");
      return std::nullopt;
    }
    const int number = diagnostics_.add_file(path, file->text);
    if (file->everybody_may_write)
      diagnostics_.warning({0, 0, 1, number}, writable_by_all, "chmod o-w " + path);
    auto node = read_yaml(diagnostics_.source(number), diagnostics_, number);
    if (!node) return std::nullopt;
    open_.push_back(path);
    include(*node, path);
    open_.pop_back();
    return node;
  }

  // Replaces each !include by the content of its files. False if the pattern matches no file: then the key
  // counts as absent.
  bool include(Node& node, const std::string& file) {
    for (auto& item : node.items) include(item, file);
    std::vector<Node::Entry> kept;
    for (auto& entry : node.entries)
      if (include(entry.value, file)) kept.push_back(std::move(entry));
    node.entries = std::move(kept);
    if (!std::exchange(node.is_include, false)) return true;
    auto wanted = node.scalar;
    variables_.replace_text(wanted, node.place);
    const auto pattern = wanted.starts_with('/') ? wanted : folder_of(file) + wanted;
    const auto place = node.place;
    Node included;
    included.place = place;
    const auto paths = surroundings_.match(pattern);
    for (const auto& path : paths) {
      if (auto found = read(path, place))
        join(included, std::move(*found));
      else
        diagnostics_.spoil(place);
    }
    node = std::move(included);
    return !paths.empty();
  }

  // --- one document of several

  void join(Node& into, Node from) {
    if (from.type == Node::Type::null) return;
    if (into.type == Node::Type::null) {
      into = std::move(from);
    } else if (into.type == Node::Type::map && from.type == Node::Type::map) {
      for (auto& entry : from.entries) join(into, std::move(entry));
    } else if (into.type == Node::Type::sequence && from.type == Node::Type::sequence) {
      std::move(from.items.begin(), from.items.end(), std::back_inserter(into.items));
    } else {
      diagnostics_.error(
          from.place,
          fmt::format("this cannot be merged with {}", diagnostics_.where(into.place, from.place)),
          "make both of them maps, or both lists");
    }
  }

  void join(Node& into, Node::Entry entry) {
    const auto known = std::find_if(into.entries.begin(), into.entries.end(),
                                    [&](const Node::Entry& each) { return each.key == entry.key; });
    if (known == into.entries.end()) {
      into.entries.push_back(std::move(entry));
    } else if (known->value.type == Node::Type::map && entry.value.type == Node::Type::map) {
      join(known->value, std::move(entry.value));
    } else if (entry.value.type != Node::Type::null) {
      diagnostics_.error(entry.key_place,
                         fmt::format("duplicate key {}, also in {}", quote(entry.key),
                                     diagnostics_.where(known->key_place, entry.key_place)),
                         "remove one of them");
    }
  }

  // --- nodes

  void lay_over(Node& root, std::vector<std::string>& names) {
    auto nodes = take(root, "nodes");
    if (!nodes) return;
    if (nodes->type != Node::Type::map || nodes->entries.empty()) {
      diagnostics_.error(
          nodes->place, "nodes must be a map of node names",
          "below nodes, write the name of each node, and below that the keys that differ there");
      return;
    }
    for (const auto& each : nodes->entries) names.push_back(each.key);
    const auto& own = surroundings_.node;
    const auto find = [&](auto is_own) {
      return std::find_if(nodes->entries.begin(), nodes->entries.end(), is_own);
    };
    auto found = find([&](const Node::Entry& each) { return each.key == own; });
    if (found == nodes->entries.end())
      found = find([&](const Node::Entry& each) { return short_name(each.key) == short_name(own); });
    if (found == nodes->entries.end()) {
      diagnostics_.error(
          nodes->place,
          fmt::format("this node is named {}, but there are only sections for {}", quote(own),
                      fmt::join(names, ", ")),
          "add a section for it (an empty one is " + own + ": {}), or name another section with --node");
      return;
    }
    auto& section = found->value;
    if (const auto* const inner = section.find("nodes"))
      diagnostics_.error(inner->place, "a node cannot contain nodes", "write all nodes side by side");
    for (const auto& [key, essential] :
         {std::pair("virtual_routers", "interface"), std::pair("virtual_servers", "router")})
      refuse_strangers(root, section, key, essential);
    if (section.type == Node::Type::map)
      lay_over(root, section);
    else if (section.type != Node::Type::null)
      diagnostics_.error(section.place,
                         fmt::format("the section of node {} must be a map", quote(found->key)),
                         "use the same keys as at the top level, with the values that differ on this node");
  }

  // An entry that exists only in the section of this node must be complete; otherwise its name is probably a
  // misspelling of another entry's.
  void refuse_strangers(const Node& root, Node& section, std::string_view key, std::string_view essential) {
    const auto own = std::find_if(section.entries.begin(), section.entries.end(),
                                  [&](const Node::Entry& each) { return each.key == key; });
    if (own == section.entries.end()) return;
    std::vector<std::string> known;
    if (const auto* const all = root.find(key))
      for (const auto& entry : all->entries) known.push_back(entry.key);
    std::erase_if(own->value.entries, [&](const Node::Entry& entry) {
      if (std::find(known.begin(), known.end(), entry.key) != known.end() || entry.value.find(essential))
        return false;
      const auto meant = did_you_mean(entry.key, known);
      diagnostics_.error(entry.key_place,
                         fmt::format("{} has no entry {} to override, and a new entry needs {}", key,
                                     quote(entry.key), essential),
                         !meant.empty()  ? meant
                         : known.empty() ? fmt::format("add \"{}:\" to it", essential)
                                         : fmt::format("use one of {}, or add \"{}:\" to it",
                                                       fmt::join(known, ", "), essential));
      return true;
    });
    if (own->value.entries.empty()) section.entries.erase(own);
  }

  static void lay_over(Node& base, const Node& section) {
    for (const auto& entry : section.entries) {
      const auto known = std::find_if(base.entries.begin(), base.entries.end(),
                                      [&](const Node::Entry& each) { return each.key == entry.key; });
      if (known == base.entries.end())
        base.entries.push_back(entry);
      else if (known->value.type == Node::Type::map && entry.value.type == Node::Type::map)
        lay_over(known->value, entry.value);
      else
        *known = entry;
    }
  }

  static std::optional<Node> take(Node& map, std::string_view key) {
    const auto found = std::find_if(map.entries.begin(), map.entries.end(),
                                    [&](const Node::Entry& each) { return each.key == key; });
    if (found == map.entries.end()) return std::nullopt;
    auto value = std::move(found->value);
    map.entries.erase(found);
    return value;
  }

  const Surroundings& surroundings_;
  Diagnostics& diagnostics_;
  Variables variables_;
  std::vector<std::string> open_;  // the files being read; each is included by the one before it
  int files_ = 0;
};

}  // namespace

std::optional<Node> assemble(std::string_view text, const Surroundings& surroundings,
                             Diagnostics& diagnostics, std::vector<std::string>& nodes) {
  return Assembler(surroundings, diagnostics).assemble(text, nodes);
}

}  // namespace vipd::conf
