#pragma once

#include "core/instant.hpp"
#include "core/json.hpp"
#include "history/sync_runs.hpp"

#include <optional>
#include <string>

namespace heiasync::commands {

/// Of an error, in a line for people.
inline constexpr std::size_t longest_error = 300;

/// Which piece of history it is: members of the object in the making.
void write_place(core::Json& json, const history::TaskKey& key, std::optional<core::Date> period_end,
                 std::optional<core::Instant> generated_at);

/// What tells it apart within its organisation and stream, to follow their name: ` business id 1234567-8, period
/// 2026-05-01 to 2026-05-31`. Empty where nothing does.
std::string describe_place(const history::TaskKey& key, std::optional<core::Date> period_end);

}  // namespace heiasync::commands
