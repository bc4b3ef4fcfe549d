#pragma once

#include "config/notes.hpp"

#include <yaml-cpp/yaml.h>

#include <string>

namespace heiasync::config {

/// The tree of the only document of a YAML text; null for a text without any. What is no YAML, or another document, is
/// a mistake.
YAML::Node read_tree(const std::string& text, Notes& mistakes);

}  // namespace heiasync::config
