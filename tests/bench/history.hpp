#pragma once

#include <cstdint>
#include <string>

namespace heiasync::bench {

struct HistorySize {
    int years = 10;
    std::int64_t organisations = 1000;
    std::int64_t documents = 10'000;
};

/// Multiplies what heiasyncd stored on 1 June 2026 of one organisation: for `years` of days before it there is a run, a
/// listing and the usage of all organisations, for as many organisations as `documents` suffice for, the energy levels
/// of each month, and for the last two months the ledger's tasks. Rows lie as they would had they come day by day.
void fill_history(const std::string& database_url, const HistorySize& size);

}  // namespace heiasync::bench
