#include "history/survey_rows.hpp"

#include "history/derived_rows.hpp"

#include <libpq-fe.h>

#include <openssl/evp.h>

#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace heiasync::history {
namespace {

using documents::DocumentStatus;

// A piece and its padding fill a page of the server, where it is neither compressed nor moved out of line.
constexpr std::size_t piece_size = 7900;
// COPY shows the first 100 bytes of a line in the context of an error.
constexpr std::string_view padding =
    "................................................................................................................";
constexpr std::array text_columns{"padding", "number", "ordinal", "piece"};

constexpr std::array question_columns{"question_set_id", "question_ordinal", "question_id", "position",
                                      "title",           "category",         "options"};
constexpr Statement find_questions{"look for a set of questions",
                                   "SELECT question_set_id FROM heiasync.question_sets WHERE digest = $1"};
constexpr Statement insert_questions{
    "store a set of questions", "INSERT INTO heiasync.question_sets (digest) VALUES ($1) RETURNING question_set_id"};

Transaction& with_text_table(Transaction& transaction) {
    // PostgreSQL 15 does not take STORAGE in CREATE TABLE.
    transaction.execute_once("make room for text",
                             "CREATE TEMPORARY TABLE heiasync_text (padding text, number bigint NOT NULL, "
                             "ordinal bigint NOT NULL, piece text NOT NULL) ON COMMIT DELETE ROWS; "
                             "ALTER TABLE pg_temp.heiasync_text ALTER COLUMN padding SET STORAGE PLAIN, "
                             "ALTER COLUMN piece SET STORAGE PLAIN");
    return transaction;
}

/// SHA-256 over fields, each with its length, so that no two lists of fields give the same bytes.
class Digest {
public:
    Digest() : context_{EVP_MD_CTX_new(), &EVP_MD_CTX_free} {
        if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1) {
            throw std::runtime_error{"OpenSSL has no SHA-256"};
        }
    }

    void add(const std::optional<std::string>& field) {
        add_raw(field ? std::to_string(field->size()) + ":" : "-");
        if (field) {
            add_raw(*field);
        }
    }
    template <std::integral Integer>
    void add(const std::optional<Integer>& field) {
        add(field ? std::optional{std::to_string(*field)} : std::nullopt);
    }

    std::string finish() {
        std::string digest(32, '\0');
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): OpenSSL's bytes are unsigned.
        EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(digest.data()), nullptr);
        return digest;
    }

private:
    void add_raw(std::string_view bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }

    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

struct QuestionSet {
    std::int64_t id = 0;
    bool is_new = false;
};

QuestionSet question_set(Transaction& transaction, const std::vector<documents::Question>& questions) {
    Digest digest;
    for (const documents::Question& question : questions) {
        digest.add(std::optional{question.id});
        digest.add(question.position);
        digest.add(question.title);
        digest.add(question.category);
        digest.add(question.options);
    }
    const Value key = Value::bytes(digest.finish());
    if (const auto found = transaction.run(find_questions, key); !found.empty()) {
        return {found[0][0].as<std::int64_t>(), false};
    }
    return {transaction.run(insert_questions, key)[0][0].as<std::int64_t>(), true};
}

void send_questions(Transaction& transaction, const char* table, std::int64_t set,
                    const std::vector<documents::Question>& questions) {
    Copy rows = transaction.copy("store questions", table, question_columns);
    int ordinal = 0;
    for (const documents::Question& question : questions) {
        rows.row(set, ++ordinal, question.id, question.position, question.title, question.category, question.options);
    }
    rows.finish();
}

std::string bytes_of(const pqxx::field& field) {
    std::size_t size = 0;
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): libpq's bytes are unsigned.
    const auto* const text = reinterpret_cast<const unsigned char*>(field.c_str());
    const std::unique_ptr<unsigned char, decltype(&PQfreemem)> bytes{PQunescapeBytea(text, &size), &PQfreemem};
    if (!bytes) {
        throw std::bad_alloc{};
    }
    return {bytes.get(), bytes.get() + size};
}

}  // namespace

TextSender::TextSender(Transaction& transaction)
    : transaction_{transaction},
      copy_{with_text_table(transaction).copy("send text", "pg_temp.heiasync_text", text_columns)} {}

void TextSender::restart() {
    number_ = transaction_.next_number();
}

void TextSender::write(std::string_view bytes) {
    while (!bytes.empty()) {
        const std::string_view piece = prefix(bytes, piece_size);
        copy_.row(Value::verbatim(padding), number_, ++ordinal_, Value::verbatim(piece));
        bytes.remove_prefix(piece.size());
    }
}

std::int64_t TextSender::send(std::string_view text) {
    restart();
    write(text);
    return number_;
}

SentDocument TextSender::send(documents::SurveyDocumentKind kind, const documents::Original& original) {
    restart();
    const documents::DocumentStatus status = documents::write_storable_json(kind, original, *this);
    return {number_, status};
}

std::string_view to_string(DocumentStatus status) {
    switch (status) {
        case DocumentStatus::stored:
            return "stored";
        case DocumentStatus::sanitised:
            return "sanitised";
        case DocumentStatus::too_large:
            return "too_large";
    }
    throw std::logic_error{"no such document status"};
}

DocumentStatus document_status(std::string_view text) {
    for (const auto status : {DocumentStatus::stored, DocumentStatus::sanitised, DocumentStatus::too_large}) {
        if (to_string(status) == text) {
            return status;
        }
    }
    throw std::logic_error{"no such document status"};
}

std::int64_t store_questions(Transaction& transaction, const std::vector<documents::Question>& questions) {
    const QuestionSet set = question_set(transaction, questions);
    if (set.is_new) {
        send_questions(transaction, "heiasync.survey_questions", set.id, questions);
    }
    return set.id;
}

RestoredQuestions restore_questions(Transaction& transaction, const std::vector<documents::Question>& questions) {
    const QuestionSet set = question_set(transaction, questions);
    send_questions(transaction, with_derived_table(transaction, derived_survey_questions), set.id, questions);
    return {set.id, replace_rows(transaction, derived_survey_questions, Row{set.id})};
}

void store_original(Transaction& transaction, const OriginalsTable& table, std::int64_t organisation_id,
                    std::int64_t document_id, const documents::Original& original) {
    // The bytes last: the line that an interrupted COPY shows ends before them.
    const std::array columns{"organisation_id", table.document_id_column, "piece", "coding",
                             "document_size",   "document_sha256",        "exact", "bytes"};
    const Value sha256 = Value::bytes(std::string{original.sha256.begin(), original.sha256.end()});
    Copy rows = transaction.copy(table.purpose, table.name, columns);
    int number = 0;
    for (const std::string& piece : original.pieces) {
        rows.row(organisation_id, document_id, number++, documents::Original::coding, original.size, sha256,
                 original.exact, Value::bytes(piece));
    }
    rows.finish();
}

documents::Original read_original(Transaction& transaction, const OriginalsTable& table, std::int64_t organisation_id,
                                  std::int64_t document_id) {
    using documents::DamagedOriginal;
    documents::Original original;
    std::string sha256;
    for (int number = 0;; ++number) {
        const auto rows = transaction.run(table.read_next, organisation_id, document_id, number - 1);
        if (rows.empty()) {
            break;
        }
        const auto row = rows[0];
        if (row[0].as<int>() != number) {
            throw DamagedOriginal{"a piece of a stored document is missing"};
        }
        if (row[1].as<std::string>() != documents::Original::coding) {
            throw DamagedOriginal{"a stored document is compressed in a way that this version cannot read"};
        }
        // One below 0 is found to be another than that of the bytes.
        const auto size = static_cast<std::uint64_t>(row[2].as<std::int64_t>());
        std::string digest = bytes_of(row[3]);
        if (number > 0 && (size != original.size || digest != sha256)) {
            throw DamagedOriginal{"the pieces of a stored document do not belong together"};
        }
        original.size = size;
        sha256 = std::move(digest);
        original.exact = row[4].as<bool>();
        original.pieces.push_back(bytes_of(row[5]));
    }
    if (original.pieces.empty()) {
        throw DamagedOriginal{"the bytes of a stored document are missing"};
    }
    if (sha256.size() != original.sha256.size()) {
        throw DamagedOriginal{"a stored document has no SHA-256"};
    }
    std::copy(sha256.begin(), sha256.end(), original.sha256.begin());
    documents::verify(original);
    return original;
}

void replace_original(Transaction& transaction, const OriginalsTable& table, std::int64_t organisation_id,
                      std::int64_t document_id, const documents::Original& original) {
    transaction.run(table.remove, organisation_id, document_id);
    store_original(transaction, table, organisation_id, document_id, original);
}

void add_result(Row& row, const documents::GroupResult& result) {
    const auto add_figures = [&row](const std::optional<documents::Figures>& figures) {
        if (figures) {
            row.add_array(figures->text());
        } else {
            row.add(std::nullopt);
        }
    };
    row.add(result.participant_count, result.answer_count, result.average_points, result.insufficient_data,
            result.insufficient_data_reason);
    add_figures(result.point_categories);
    add_figures(result.question_average_points);
    if (const documents::Breakdown& breakdown = result.breakdown; breakdown.question_ids().empty()) {
        row.add(std::nullopt, std::nullopt, std::nullopt);
    } else {
        row.add_array(breakdown.question_ids());
        row.add_array(breakdown.ends());
        row.add_array(breakdown.figures().text());
    }
}

std::string_view to_string(documents::Scope scope) {
    switch (scope) {
        case documents::Scope::global:
            return "global";
        case documents::Scope::organisation:
            return "organisation";
        case documents::Scope::team:
            return "team";
        case documents::Scope::tag:
            return "tag";
        case documents::Scope::team_tag:
            return "team_tag";
    }
    throw std::logic_error{"no such scope"};
}

void ResultRows::send(Row& row, const documents::GroupResult& result) {
    add_result(row, result);
    copy_.row(row);
}

}  // namespace heiasync::history
