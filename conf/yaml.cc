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

#include "base/words.h"
#include "conf/source_text.h"

namespace vipd::conf {

namespace {

// --- yaml-cpp's events to nodes

// Ends the parsing; the error has been reported.
struct Stopped {};

class TreeMaker : public YAML::EventHandler {
 public:
  TreeMaker(const SourceText& source, Diagnostics& diagnostics)
      : source_(source), diagnostics_(diagnostics) {}

  Node take_root() { return std::move(root_); }

  // The innermost bracket that is still open.
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
      stop(source_.place(source_.offset(mark.pos)), "a second document begins here, but vipd reads only one",
           "remove the \"---\"");
    stop(source_.place(source_.offset(mark.pos)), "this does not belong to the lines above it",
         "check the indentation, and that no \"...\" ends the document above");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Node node;
    node.place = source_.place(place_of_nothing(source_.offset(mark.pos)));
    if (wants_key())
      stop(source_.place(source_.offset(mark.pos)), "the key is missing here", "write \"key: value\"");
    finish(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto place = source_.place(source_.offset(mark.pos));
    if (wants_key()) stop(place, "an alias cannot be a key");
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) stop(place, "this alias is inside the value that it refers to");
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
      stop(source_.place(offset),
           fmt::format("this {} is longer than {} bytes", wants_key() ? "key" : "value",
                       wants_key() ? longest_key : longest_scalar));
    Node node = Node::text(value);
    node.quoted = tag == "!";
    const auto length = source_.scalar_length(offset, value.size());
    if (node.quoted && length == 0)
      stop(source_.place(offset), "a quoted string is not closed", "add the closing quote");
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
  // A map or list whose end has not been reached.
  struct Open {
    Node node;
    YAML::anchor_t anchor;
    bool block;                                      // written with indentation, not with brackets
    std::map<std::string, Place, std::less<>> keys;  // of a map
    std::vector<Node> merged;                        // values of << keys, merged at the end
    std::optional<std::string> key;                  // the key whose value comes next
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
    stop(source_.place(source_.offset(mark.pos)), "tags (\"!\") are not supported, except \"!include FILE\"",
         "remove it; quotes make a value a string");
  }

  // conf/assemble reads the included file.
  void include(const YAML::Mark& mark, YAML::anchor_t anchor, const std::string& path) {
    const auto offset = skip_anchor(source_.offset(mark.pos));
    const auto place = source_.place(offset, std::string_view("!include ").size() + path.size());
    if (wants_key()) stop(place, "\"!include\" cannot be a key", "write \"key: !include FILE\"");
    if (path.empty() || path.size() > longest_scalar)
      stop(place, "\"!include\" without a file", "write \"!include FILE\"");
    Node node = Node::text(path);
    node.is_include = true;
    node.place = place;
    finish(std::move(node), anchor);
  }
  [[noreturn]] void too_deep(Place place) {
    stop(place, fmt::format("maps and lists are nested more than {} deep", deepest_nesting));
  }

  void count(std::size_t nodes, Place place) {
    nodes_ += nodes;
    if (nodes_ > most_nodes)
      stop(place, fmt::format("more than {} values, with aliases expanded", most_nodes));
  }

  bool wants_key() const {
    return !open_.empty() && open_.back().node.type == Node::Type::map && !open_.back().key;
  }

  // yaml-cpp reports an absent value at the next token, which may be lines below. For a list item, users look
  // for it at the "-"; for a key, add() sets the place.
  std::size_t place_of_nothing(std::size_t offset) const {
    if (open_.empty() || !open_.back().block || open_.back().node.type != Node::Type::sequence) return offset;
    const auto dash = source_.text().substr(0, offset).rfind('-');
    return dash == std::string_view::npos ? offset : dash;
  }

  // yaml-cpp marks a value with an anchor at the anchor.
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
           "a value that begins with a bracket needs quotes, such as \"[2001:db8::10]:80\"");
    if (static_cast<int>(open_.size()) == deepest_nesting) too_deep(source_.place(source_.offset(mark.pos)));
    Node node;
    node.type = type;
    node.place = source_.place(skip_anchor(source_.offset(mark.pos)));
    // For a block below a key, the key is the best place to show.
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
      count(size.nodes, node.place);  // the copy kept for aliases
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
      diagnostics_.error(parent.key_place,
                         fmt::format("duplicate key {}, first in line {}", quote(key), first->second.line),
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

  // The map's own keys override merged ones, and earlier merged ones override later ones.
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

// vipd's messages for those of yaml-cpp, with the most frequent cause. report() relies on "is not closed".
struct Explanation {
  std::string_view theirs;  // the beginning of yaml-cpp's message
  std::string_view message;
  std::string_view remedy;
};
constexpr Explanation explanations[] = {
    {"illegal map value", "\":\" where no value can begin",
     "is a \":\" missing in the line above? a value that contains \": \" needs quotes"},
    {"end of map flow not found", "\"{\" is not closed", "add the \"}\""},
    {"end of sequence flow not found", "\"[\" is not closed", "add the \"]\""},
    {"end of map not found", "this does not fit the lines above it",
     "check that it begins in the same column, that a \":\" follows the key, "
     "and that nothing follows a closing quote or bracket"},
    {"end of sequence not found", "this does not fit the list above it",
     "check that each item begins with \"- \" in the same column, "
     "and that nothing follows a closing quote or bracket"},
    {"illegal EOF in scalar", "a quoted string is not closed", "add the closing quote"},
    {"illegal document indicator in scalar", "a quoted string is not closed", "add the closing quote"},
    {"unknown escape character", "unknown escape sequence in double quotes",
     "write \"\\\\\" for a backslash, or use single quotes"},
    {"invalid unicode", "this escape sequence is not a character",
     "use \\u0000 to \\ud7ff or \\ue000 to \\uffff"},
    {"bad character found while scanning hex number", "this escape sequence is not hexadecimal",
     "write \"\\\\\" for a backslash, or use single quotes"},
    {"the referenced anchor is not defined", "no anchor (\"&\") above defines this alias (\"*\")",
     "a value that begins with \"*\" needs quotes"},
    {"alias not found after *", "alias (\"*\") without a name",
     "a value that begins with \"*\" needs quotes"},
    {"anchor not found after &", "anchor (\"&\") without a name",
     "a value that begins with \"&\" needs quotes"},
    {"illegal block entry", "\"- \" where no list can begin", "put the list below its key"},
    {"illegal flow end", "closing bracket without an opening one",
     "remove it; a value that contains brackets needs quotes"},
    {"illegal map key", "\"? \" where no key can begin", "a value that begins with \"?\" needs quotes"},
    {"unknown token", "this character cannot begin a value", "a value that begins with it needs quotes"},
};

// The offset of a ${NAME} without quotes inside braces or brackets, whose closing brace YAML misreads.
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
    diagnostics.error(place, "\":\" after a list",
                      "an address in brackets needs quotes: \"[2001:db8::10]:80\"");
    return;
  }
  if (const auto variable = unquoted_variable(source.text())) {
    diagnostics.error(source.place(*variable), "a variable inside brackets or braces needs quotes",
                      "write \"${NAME}\"");
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

// A stream that reads text owned by the caller.
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
                      fmt::format("the file has {} bytes, but the limit is {}", text.size(), largest_text));
    return std::nullopt;
  }
  const SourceText source(text, file);
  if (!is_readable(source, diagnostics)) return std::nullopt;
  TreeMaker tree(source, diagnostics);
  if (!parse(source, tree, diagnostics)) return std::nullopt;
  return tree.take_root();
}

}  // namespace vipd::conf
