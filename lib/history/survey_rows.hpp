#pragma once

// Internal to this room: the rows that energy levels and reports have in common.

#include "core/bytes.hpp"
#include "documents/original.hpp"
#include "documents/survey_document.hpp"
#include "history/transaction.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace heiasync::history {

/// The JSON of a document, sent.
struct SentDocument {
    std::int64_t number = 0;
    documents::DocumentStatus status = documents::DocumentStatus::stored;
};

/// Texts on their way to the server, where the statements that follow in the transaction find each with
/// `heiasync.sent_text(number)`. Nothing of them appears in the server's log: neither a parameter, which a server that
/// logs statements would show, nor the line that an interrupted COPY shows, because each begins with more padding than
/// is shown of it.
class TextSender final : private core::ByteSink {
public:
    explicit TextSender(Transaction& transaction);

    /// Returns the number of the text, which must be storable.
    std::int64_t send(std::string_view text);
    /// Sends what PostgreSQL's jsonb takes of a document.
    SentDocument send(documents::SurveyDocumentKind kind, const documents::Original& original);
    /// What comes after the last text.
    void finish() { copy_.finish(); }

private:
    void restart() override;
    void write(std::string_view bytes) override;

    Transaction& transaction_;
    Copy copy_;
    std::int64_t number_ = 0;
    std::int64_t ordinal_ = 0;
};

std::string_view to_string(documents::DocumentStatus status);
documents::DocumentStatus document_status(std::string_view text);

/// The set of these questions: the one that is stored already, or a new one.
std::int64_t store_questions(Transaction& transaction, const std::vector<documents::Question>& questions);

struct RestoredQuestions {
    std::int64_t set = 0;
    bool changed = false;
};
/// The same where the rows of a set that is stored already may be missing or others. Once a transaction.
RestoredQuestions restore_questions(Transaction& transaction, const std::vector<documents::Question>& questions);

/// Where the bytes of a kind of document are.
struct OriginalsTable {
    const char* purpose;
    const char* name;
    const char* document_id_column;
    Statement read_next;  ///< of organisation, document and piece: piece, coding, size, SHA-256, exact and bytes of the
                          ///< next
    Statement remove;     ///< by organisation and document
};

/// Stores the pieces of a document. By COPY, as every text of it: a server that logs statements logs their parameters,
/// and who can read those can inflate them.
void store_original(Transaction& transaction, const OriginalsTable& table, std::int64_t organisation_id,
                    std::int64_t document_id, const documents::Original& original);

/// Reads them again, piece by piece. Throws DamagedOriginal where pieces are missing, do not belong together, or give
/// another document than the one that came.
documents::Original read_original(Transaction& transaction, const OriginalsTable& table, std::int64_t organisation_id,
                                  std::int64_t document_id);

/// Puts another document into the place of the bytes that are stored.
void replace_original(Transaction& transaction, const OriginalsTable& table, std::int64_t organisation_id,
                      std::int64_t document_id, const documents::Original& original);

/// The result columns, in the order of add_result().
inline constexpr std::array result_columns{
    "participant_count",        "answer_count",     "average_points",          "insufficient_data",
    "insufficient_data_reason", "point_categories", "question_average_points", "breakdown_question_ids",
    "breakdown_ends",           "breakdown_values"};
void add_result(Row& row, const documents::GroupResult& result);

std::string_view to_string(documents::Scope scope);

/// The columns of a results table: its keys, then the result columns.
template <std::size_t Keys>
constexpr auto with_result_columns(const std::array<const char*, Keys>& keys) {
    std::array<const char*, Keys + result_columns.size()> all{};
    std::copy(keys.begin(), keys.end(), all.begin());
    std::copy(result_columns.begin(), result_columns.end(), all.begin() + Keys);
    return all;
}

/// Sends each result as it is decoded.
class ResultRows : public documents::ResultVisitor {
public:
    /// What comes after the last result.
    void finish() { copy_.finish(); }

protected:
    ResultRows(Transaction& transaction, const char* purpose, const char* table, std::span<const char* const> columns)
        : copy_{transaction.copy(purpose, table, columns)} {}

    /// The keys are in the row already.
    void send(Row& row, const documents::GroupResult& result);

private:
    Copy copy_;
};

}  // namespace heiasync::history
