#pragma once

#include "history/database.hpp"

#include <cstdint>
#include <set>
#include <utility>

// NOLINTBEGIN(cppcoreguidelines-macro-usage): texts of statements are put together by the preprocessor alone.
/// Internal to this room: that nothing says that a task's subject was erased. Of many tasks it is asked at once, where
/// is_erased() would be called for each.
#define NOT_ERASED(task)                                    \
    "NOT EXISTS (SELECT FROM heiasync.erasures AS erasure " \
    "            WHERE erasure.organisation_id = " task     \
    ".organisation_id AND erasure.lifted_at IS NULL "       \
    "              AND (erasure.what = 'organisation' "     \
    "                   OR erasure.what = 'report' AND erasure.report_id = " task ".report_id))"
// NOLINTEND(cppcoreguidelines-macro-usage)

namespace heiasync::history {

/// What `heiasyncd forget` erased, by its receipts that nobody has lifted: a run asks for none of it again.
class Erasures {
public:
    Erasures() = default;
    explicit Erasures(Transaction& transaction);

    [[nodiscard]] bool organisation(std::int64_t organisation_id) const;
    /// The report, or its organisation.
    [[nodiscard]] bool report(std::int64_t organisation_id, std::int64_t report_id) const;
    /// What people wrote in their own words, of all documents of the organisation.
    [[nodiscard]] bool open_answers(std::int64_t organisation_id) const;
    /// Of the report, or of all documents of its organisation.
    [[nodiscard]] bool open_answers(std::int64_t organisation_id, std::int64_t report_id) const;

private:
    using Report = std::pair<std::int64_t, std::int64_t>;  // organisation, report

    std::set<std::int64_t> organisations_;
    std::set<Report> reports_;
    std::set<std::int64_t> organisations_without_open_answers_;
    std::set<Report> reports_without_open_answers_;
};

}  // namespace heiasync::history
