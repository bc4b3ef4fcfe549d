#pragma once

#include "documents/original.hpp"

#include <optional>
#include <string_view>

namespace heiasync::documents {

/// The document without what people wrote in their own words: the value of every member `open_questions`, wherever it
/// is, gives way to null; the format of that part is not published, so none of it is known to be harmless. All other
/// bytes stay as they came. Unset where nothing is to be taken out, also where each such member is null or empty.
/// Throws DecodeError, whose operation() is `operation`, where the bytes are no JSON, and DamagedOriginal.
std::optional<Original> without_open_answers(std::string_view operation, const Original& original);

}  // namespace heiasync::documents
