#pragma once

#include "history.hpp"
#include "table.hpp"

#include <string>

namespace heiasync::bench {

/// How long the questions that people ask most take in a filled history, and how large it is. `repeat` is how often
/// each is asked; the best counts. Restarts the server.
void measure_history(const std::string& database_url, const HistorySize& size, int repeat, Table& table);

}  // namespace heiasync::bench
