#include "conf/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <istream>
#include <map>
#include <streambuf>
#include <utility>
#include <vector>

#include "conf/source_text.h"

namespace vipd::conf {

namespace {

// --- yaml-cpp's events to nodes

// Ends the parsing; the diagnostic has been made.
struct Stopped {};

class TreeMaker : public YAML::EventHandler {
 public:
  TreeMaker(const SourceText& source, Diagnostics& diagnostics)
      : source_(source), diagnostics_(diagnostics) {}

  Node take_root() { return std::move(root_); }

  // The innermost bracket that has been opened and not closed.
  std::optional<Place> open_bracket() const {
    if (open_.empty() || open_.back().block) return std::nullopt;
    return open_.back().node.place;
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ == 1) return;
    const auto offset = source_.offset(mark.pos);
    const auto line_start = source_.text().rfind('\n', offset == 0 ? 0 : offset - 1);
    const bool marked =
        source_.text().substr(0, offset).ends_with("---") ||
        source_.text().substr(line_start == std::string_view::npos ? 0 : line_start + 1).starts_with("---");
    if (marked)
      stop(source_.place(source_.offset(mark.pos)), "a second document begins here, and only one is read",
           "remove the \"---\"");
    stop(source_.place(source_.offset(mark.pos)), "this does not belong to what stands above it",
         "check the indentation, and that no \"...\" ends the document above");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Node node;
    node.place = source_.place(place_of_nothing(source_.offset(mark.pos)));
    if (wants_key())
      stop(source_.place(source_.offset(mark.pos)), "a key is missing here", "write \"key: value\"");
    finish(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto place = source_.place(source_.offset(mark.pos));
    if (wants_key()) stop(place, "an alias cannot be a key");
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) stop(place, "this alias stands inside of what it refers to");
    count(found->second.nodes, place);
    if (!open_.empty() && deepest_nesting < static_cast<int>(open_.size()) + found->second.depth)
      too_deep(place);
    add(found->second.node);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (tag == "!include") return include(mark, anchor, value);
    // "?" is a plain scalar and "!" a quoted one; anything else was written as a tag.
    if (tag != "?" && tag != "!" && !tag.empty()) refuse_tag(mark);
    const auto offset = skip_anchor(source_.offset(mark.pos));
    if (value.size() > (wants_key() ? longest_key : longest_scalar))
      stop(source_.place(offset), fmt::format("a {} of more than {} bytes", wants_key() ? "key" : "text",
                                              wants_key() ? longest_key : longest_scalar));
    Node node = Node::text(value);
    node.quoted = tag == "!";
    const auto length = source_.scalar_length(offset, value.size());
    if (node.quoted && length == 0)
      stop(source_.place(offset), "a quoted text is not closed", "add the closing quote");
    node.place = source_.place(offset, length);
    if (wants_key())
      add_key(value, node.place);
    else
      finish(std::move(node), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    open(mark, tag, anchor, style, Node::Type::sequence);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    open(mark, tag, anchor, style, Node::Type::map);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

 private:
  // A map or list whose end has not come yet.
  struct Open {
    Node node;
    YAML::anchor_t anchor;
    bool block;                                      // written with indentation, not with brackets
    std::map<std::string, Place, std::less<>> keys;  // of a map
    std::vector<Node> merged;                        // values of << keys, to be filled in at the end
    std::optional<std::string> key;                  // seen, its value is awaited
    Place key_place;
  };
  struct Anchored {
    Node node;
    std::size_t nodes;
    int depth;
  };

  [[noreturn]] void stop(Place place, std::string message, std::string remedy = {}) {
    diagnostics_.error(place, std::move(message), std::move(remedy));
    throw Stopped{};
  }
  [[noreturn]] void refuse_tag(const YAML::Mark& mark) {
    stop(source_.place(source_.offset(mark.pos)), "tags (\"!\") are not used, but for \"!include FILE\"",
         "remove it; quotes make a text");
  }

  // Who assembles the files reads this one.
  void include(const YAML::Mark& mark, YAML::anchor_t anchor, const std::string& path) {
    const auto offset = skip_anchor(source_.offset(mark.pos));
    const auto place = source_.place(offset, std::string_view("!include ").size() + path.size());
    if (wants_key()) stop(place, "a key cannot be included", "write \"key: !include FILE\"");
    if (path.empty() || path.size() > longest_scalar)
      stop(place, "\"!include\" without a file", "write \"!include FILE\"");
    Node node = Node::text(path);
    node.is_include = true;
    node.place = place;
    finish(std::move(node), anchor);
  }
  [[noreturn]] void too_deep(Place place) {
    stop(place, fmt::format("more than {} maps and lists inside each other", deepest_nesting));
  }

  void count(std::size_t nodes, Place place) {
    nodes_ += nodes;
    if (nodes_ > most_nodes) stop(place, fmt::format("more than {} values, aliases written out", most_nodes));
  }

  bool wants_key() const {
    return !open_.empty() && open_.back().node.type == Node::Type::map && !open_.back().key;
  }

  // An absent value is reported by yaml-cpp where the next thing begins, perhaps lines below. People look for
  // it behind the "-"; behind a key, add() knows better.
  std::size_t place_of_nothing(std::size_t offset) const {
    if (open_.empty() || !open_.back().block || open_.back().node.type != Node::Type::sequence) return offset;
    const auto dash = source_.text().substr(0, offset).rfind('-');
    return dash == std::string_view::npos ? offset : dash;
  }

  // The mark of a value with an anchor is the anchor's.
  std::size_t skip_anchor(std::size_t offset) const {
    const auto text = source_.text();
    if (offset >= text.size() || text[offset] != '&') return offset;
    const auto end = text.find_first_of(" \t\r\n", offset);
    const auto value = end == std::string_view::npos ? end : text.find_first_not_of(" \t\r\n", end);
    return value == std::string_view::npos ? offset : value;
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            YAML::EmitterStyle::value style, Node::Type type) {
    if (tag != "?" && tag != "!" && !tag.empty()) refuse_tag(mark);
    if (wants_key())
      stop(source_.place(source_.offset(mark.pos)), "a key must be a single word",
           "a text that begins with a bracket needs quotes, such as \"[2001:db8::10]:80\"");
    if (static_cast<int>(open_.size()) == deepest_nesting) too_deep(source_.place(source_.offset(mark.pos)));
    Node node;
    node.type = type;
    node.place = source_.place(skip_anchor(source_.offset(mark.pos)));
    // What is indented below a key is best pointed at by that key.
    const bool block = style == YAML::EmitterStyle::Block;
    if (block && !open_.empty() && open_.back().key) node.place = open_.back().key_place;
    open_.push_back({std::move(node), anchor, block, {}, {}, {}, {}});
  }

  void close() {
    auto done = std::move(open_.back());
    open_.pop_back();
    for (const auto& merged : done.merged) merge(done, merged);
    finish(std::move(done.node), done.anchor);
  }

  void finish(Node node, YAML::anchor_t anchor) {
    count(1, node.place);
    if (anchor != YAML::NullAnchor) {
      const auto size = size_of(node);
      count(size.nodes, node.place);  // the copy that waits for aliases
      anchors_.insert_or_assign(anchor, Anchored{node, size.nodes, size.depth});
    }
    add(std::move(node));
  }

  void add(Node node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    auto& parent = open_.back();
    if (parent.node.type == Node::Type::sequence) {
      parent.node.items.push_back(std::move(node));
      return;
    }
    const auto key = *std::exchange(parent.key, std::nullopt);
    if (node.type == Node::Type::null) node.place = parent.key_place;
    if (key == "<<") {
      remember_merge(parent, std::move(node));
      return;
    }
    const auto [first, is_new] = parent.keys.try_emplace(key, parent.key_place);
    if (is_new)
      parent.node.entries.push_back({key, parent.key_place, std::move(node)});
    else
      diagnostics_.error(
          parent.key_place,
          fmt::format("the key {} is here twice, first in line {}", quote(key), first->second.line),
          "remove one of them");
  }

  void add_key(const std::string& key, Place place) {
    count(1, place);
    open_.back().key = key;
    open_.back().key_place = place;
  }

  void remember_merge(Open& into, Node value) {
    if (value.type == Node::Type::map) {
      into.merged.push_back(std::move(value));
      return;
    }
    const bool maps = value.type == Node::Type::sequence &&
                      std::all_of(value.items.begin(), value.items.end(),
                                  [](const Node& item) { return item.type == Node::Type::map; });
    if (!maps)
      stop(into.key_place, "the value of \"<<\" must be a map or a list of maps", "write \"<<: *anchor\"");
    for (auto& item : value.items) into.merged.push_back(std::move(item));
  }

  // The map's own keys win over merged ones, and earlier merged ones over later.
  static void merge(Open& into, const Node& from) {
    for (const auto& entry : from.entries)
      if (into.keys.try_emplace(entry.key, entry.key_place).second) into.node.entries.push_back(entry);
  }

  struct Size {
    std::size_t nodes = 1;
    int depth = 0;
  };
  static Size size_of(const Node& node) {
    Size size;
    const auto include = [&](const Node& child) {
      const auto inner = size_of(child);
      size.nodes += inner.nodes;
      size.depth = std::max(size.depth, inner.depth);
    };
    for (const auto& item : node.items) include(item);
    for (const auto& entry : node.entries) include(entry.value);
    if (node.type == Node::Type::sequence || node.type == Node::Type::map) ++size.depth;
    return size;
  }

  const SourceText& source_;
  Diagnostics& diagnostics_;
  Node root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  std::size_t nodes_ = 0;
  int documents_ = 0;
};

// yaml-cpp's words in ours, with what most often lies behind them.
struct Explanation {
  std::string_view theirs;  // how their message begins
  std::string_view message;
  std::string_view remedy;
};
constexpr Explanation explanations[] = {
    {"illegal map value", "a \":\" where no value can begin",
     "is a \":\" missing in the line above? a text with \": \" in it needs quotes"},
    {"end of map flow not found", "a \"{\" is not closed", "add the \"}\""},
    {"end of sequence flow not found", "a \"[\" is not closed", "add the \"]\""},
    {"end of map not found", "this does not fit the lines above it",
     "check that it begins in the same column as they do, that a \":\" follows the key, and that nothing "
     "follows a "
     "closing quote or bracket"},
    {"end of sequence not found", "this does not fit the list above it",
     "check that each item begins with \"- \" in the same column, and that nothing follows a closing quote "
     "or "
     "bracket"},
    {"illegal EOF in scalar", "a quoted text is not closed", "add the closing quote"},
    {"illegal document indicator in scalar", "a quoted text is not closed", "add the closing quote"},
    {"unknown escape character", "an unknown escape in a text in double quotes",
     "write \"\\\\\" for a backslash, or use single quotes"},
    {"invalid unicode", "an escape that is no character", "use \\u0000 to \\ud7ff or \\ue000 to \\uffff"},
    {"bad character found while scanning hex number", "an escape that is not hexadecimal",
     "write \"\\\\\" for a backslash, or use single quotes"},
    {"the referenced anchor is not defined", "this alias (\"*\") refers to no anchor (\"&\") above it",
     "a text that begins with \"*\" needs quotes"},
    {"alias not found after *", "an alias (\"*\") without a name",
     "a text that begins with \"*\" needs quotes"},
    {"anchor not found after &", "an anchor (\"&\") without a name",
     "a text that begins with \"&\" needs quotes"},
    {"illegal block entry", "a \"- \" where no list can begin", "put the list below its key"},
    {"illegal flow end", "a closing bracket without an opening one",
     "remove it; a text with brackets needs quotes"},
    {"illegal map key", "a \"? \" where no key can begin", "a text that begins with \"?\" needs quotes"},
    {"unknown token", "this character cannot begin a value", "a text that begins with it needs quotes"},
};

// A ${NAME} without quotes within braces or brackets: its brace closes nothing that YAML knows.
std::optional<std::size_t> unquoted_variable(std::string_view text) {
  for (auto at = text.find("${"); at != std::string_view::npos; at = text.find("${", at + 2)) {
    const auto begin = text.rfind('\n', at) + 1;  // npos + 1 is 0
    const auto before = text.substr(begin, at - begin);
    const auto count = [&](char each) { return std::count(before.begin(), before.end(), each); };
    const bool quoted = count('"') % 2 != 0 || count('\'') % 2 != 0;
    if (!quoted && (count('{') > count('}') || count('[') > count(']'))) return at;
  }
  return std::nullopt;
}

void report(const YAML::ParserException& error, const SourceText& source, const TreeMaker& tree,
            Diagnostics& diagnostics) {
  const auto offset = source.offset(error.mark.pos);
  const auto place = source.place(offset);
  if (source.text().substr(0, offset).ends_with(']') && source.text().substr(offset).starts_with(':')) {
    diagnostics.error(place, "a \":\" behind a list",
                      "an address in brackets needs quotes: \"[2001:db8::10]:80\"");
    return;
  }
  if (const auto variable = unquoted_variable(source.text())) {
    diagnostics.error(source.place(*variable), "a variable within brackets or braces without quotes",
                      "write \"${NAME}\", with the quotes");
    return;
  }
  for (const auto& each : explanations) {
    if (!std::string_view(error.msg).starts_with(each.theirs)) continue;
    const bool unclosed = each.message.ends_with("is not closed");
    diagnostics.error(unclosed ? tree.open_bracket().value_or(place) : place, std::string(each.message),
                      std::string(each.remedy));
    return;
  }
  diagnostics.error(place, "this is not YAML: " + error.msg);
}

// A stream on text that somebody else keeps.
class TextBuffer : public std::streambuf {
 public:
  explicit TextBuffer(std::string_view text) {
    char* const begin = const_cast<char*>(text.data());  // streambuf's signature; it is only read
    setg(begin, begin, begin + text.size());
  }
};

bool parse(const SourceText& source, TreeMaker& tree, Diagnostics& diagnostics) {
  TextBuffer buffer(source.text());
  std::istream stream(&buffer);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(tree)) {
    }
    return true;
  } catch (const Stopped&) {
    return false;
  } catch (const YAML::ParserException& error) {
    report(error, source, tree, diagnostics);
    return false;
  }
}

}  // namespace

std::optional<Node> read_yaml(std::string_view text, Diagnostics& diagnostics, int file) {
  if (text.size() > largest_text) {
    diagnostics.error({1, 1, 1, file},
                      fmt::format("the file has {} bytes, at most {} are read", text.size(), largest_text));
    return std::nullopt;
  }
  const SourceText source(text, file);
  if (!is_readable(source, diagnostics)) return std::nullopt;
  TreeMaker tree(source, diagnostics);
  if (!parse(source, tree, diagnostics)) return std::nullopt;
  return tree.take_root();
}

}  // namespace vipd::conf
