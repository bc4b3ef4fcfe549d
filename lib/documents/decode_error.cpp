#include "documents/decode_error.hpp"

#include <fmt/format.h>

#include <utility>

namespace heiasync::documents {

DecodeError::DecodeError(std::string operation, std::string json_pointer, const std::string& reason)
    : std::runtime_error{json_pointer.empty() ? fmt::format("{}: {}", operation, reason)
                                              : fmt::format("{}: {}: {}", operation, json_pointer, reason)},
      operation_{std::move(operation)},
      json_pointer_{std::move(json_pointer)} {}

}  // namespace heiasync::documents
