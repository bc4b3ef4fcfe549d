#pragma once

// Internal to this room: values that must not be seen.

#include "core/bytes.hpp"
#include "documents/cuts.hpp"

#include <string_view>
#include <vector>

namespace heiasync::documents {

/// The values of groups whose data is insufficient, wherever in the document such an object is, in its published parts
/// and in others. The server is to send null there; what it sends instead is nobody's to see. Insufficient is what
/// GroupResult says of it. Throws DecodeError where it is no JSON.
std::vector<Cut> find_suppressed_values(std::string_view operation, core::ByteSource& source);

}  // namespace heiasync::documents
