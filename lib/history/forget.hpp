#pragma once

#include "history/database.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Erasing: rows, documents and bytes, for good. The ledger (sync_runs, sync_tasks, listings) stays, with the ids in
/// it.
namespace heiasync::history {

/// What is to be erased: an organisation, or one report of it; or only what people wrote in their own words.
struct ErasureSubject {
    std::int64_t organisation_id = 0;
    std::optional<std::int64_t> report_id;  ///< unset: the whole organisation
    bool open_answers_only = false;
};

/// What becomes of it.
struct Erasure {
    struct Rows {
        std::string_view relation;
        std::int64_t count = 0;
    };
    std::vector<Rows> rows;  ///< per relation that has any; for open answers the documents that have any
    [[nodiscard]] std::int64_t total() const;
};

/// For the receipt.
struct ErasureReceipt {
    std::optional<std::string> reason;  ///< at most max_reason_size characters
    std::string erased_by;              ///< user and machine
    static constexpr std::size_t max_reason_size = 1000;
};

/// Throws DatabaseError of kind `schema`, with a sentence that says what to do, where the role may not erase.
void require_right_to_forget(Transaction& transaction);

/// The organisations that have, or had when it was erased, a report of this id.
std::vector<std::int64_t> organisations_with_report(Transaction& transaction, std::int64_t report_id);

/// Whether anything is, or was before it was erased, known of it.
bool is_known(Transaction& transaction, const ErasureSubject& subject);

/// The name of the organisation as last seen; unset where nothing is known of it any more.
std::optional<std::string> name_of_organisation(Transaction& transaction, std::int64_t organisation_id);

/// Whether a text has a name, a business id or a company code of the organisation in it, or a title of the report, with
/// whatever case, spaces and punctuation: a receipt must not. A guard against slips, which an abbreviation gets past.
bool names_the_subject(Transaction& transaction, const ErasureSubject& subject, std::string_view text);

/// Other reports of the organisation in which rounds of the report stand too, as earlier or later ones.
std::vector<std::int64_t> reports_with_the_same_rounds(Transaction& transaction, const ErasureSubject& subject);

/// What forget() would do. Changes nothing. Throws as forget() does.
Erasure preview_forget(Transaction& transaction, const ErasureSubject& subject);

/// Erases it, and leaves a receipt unless nothing was left to be erased since the last one. To be done with the run
/// lock. Throws DamagedOriginal where open answers are to be taken out of a document whose bytes are damaged, or no
/// JSON that this program reads, with a sentence that names it.
Erasure forget(Transaction& transaction, const ErasureSubject& subject, const ErasureReceipt& receipt);

}  // namespace heiasync::history
