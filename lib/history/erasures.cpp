#include "history/erasures.hpp"

#include "history/transaction.hpp"

#include <string>

namespace heiasync::history {
namespace {

constexpr Statement select_erasures{
    "read what was erased", "SELECT what, organisation_id, report_id FROM heiasync.erasures WHERE lifted_at IS NULL"};

}  // namespace

Erasures::Erasures(Transaction& transaction) {
    for (const auto& row : transaction.run(select_erasures)) {
        const bool open_answers_only = row[0].as<std::string>() == "open_answers";
        const auto organisation_id = row[1].as<std::int64_t>();
        if (row[2].is_null()) {
            (open_answers_only ? organisations_without_open_answers_ : organisations_).insert(organisation_id);
        } else {
            (open_answers_only ? reports_without_open_answers_ : reports_)
                .emplace(organisation_id, row[2].as<std::int64_t>());
        }
    }
}

bool Erasures::organisation(std::int64_t organisation_id) const {
    return organisations_.contains(organisation_id);
}

bool Erasures::report(std::int64_t organisation_id, std::int64_t report_id) const {
    return organisation(organisation_id) || reports_.contains({organisation_id, report_id});
}

bool Erasures::open_answers(std::int64_t organisation_id) const {
    return organisations_without_open_answers_.contains(organisation_id);
}

bool Erasures::open_answers(std::int64_t organisation_id, std::int64_t report_id) const {
    return open_answers(organisation_id) || reports_without_open_answers_.contains({organisation_id, report_id});
}

}  // namespace heiasync::history
