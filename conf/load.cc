#include "conf/load.h"

#include "conf/assemble.h"
#include "conf/schema.h"
#include "conf/yaml.h"

namespace vipd::conf {

Loaded load_text(const std::string& name, std::string text, const Surroundings& surroundings) {
  Loaded loaded{std::nullopt, Diagnostics(name, std::move(text))};
  const auto root = assemble(loaded.diagnostics.source(), surroundings, loaded.diagnostics, loaded.nodes);
  if (!root) return loaded;
  auto config = read_schema(*root, loaded.diagnostics);
  if (!loaded.diagnostics.has_errors()) loaded.config = std::move(config);
  return loaded;
}

Loaded load_printed(const std::string& name, std::string text) {
  Loaded loaded{std::nullopt, Diagnostics(name, std::move(text))};
  const auto root = read_yaml(loaded.diagnostics.source(), loaded.diagnostics);
  if (!root) return loaded;
  auto config = read_schema(*root, loaded.diagnostics);
  if (!loaded.diagnostics.has_errors()) loaded.config = std::move(config);
  return loaded;
}

Result<Loaded> load_file(const std::string& path, const Surroundings& surroundings) {
  auto file = TRY(surroundings.read(path));
  auto loaded = load_text(path, std::move(file.text), surroundings);
  if (file.everybody_may_write) loaded.diagnostics.warning({}, writable_by_all, "chmod o-w " + path);
  return loaded;
}

}  // namespace vipd::conf
