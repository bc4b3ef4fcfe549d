#pragma once

#include "core/bytes.hpp"
#include "core/instant.hpp"
#include "documents/decode.hpp"
#include "documents/figures.hpp"
#include "documents/original.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace heiasync::documents {

/// The two kinds of survey document: ParempiVireSurveyReportData and OrganisationSurveyReportData. The first is a
/// subset.
enum class SurveyDocumentKind { energy_levels, report };

struct Question {
    std::int64_t id = 0;
    std::optional<std::int64_t> position;  ///< `position` of the document; the order of the list is that of the results
    std::optional<std::string> title;      ///< storable JSON texts, as they came
    std::optional<std::string> category;
    std::optional<std::string> options;

    friend bool operator==(const Question&, const Question&) = default;
};

enum class Scope { global, organisation, team, tag, team_tag };

/// Whose result it is. Ids are 0 and names absent where the scope has none; a name is absent too where the document
/// lists no such team or tag.
struct Group {
    Scope scope = Scope::global;
    std::int64_t team_id = 0;
    std::optional<std::string> team_name;
    std::int64_t tag_id = 0;
    std::optional<std::string> tag_name;

    friend bool operator==(const Group&, const Group&) = default;
};

/// One group's result. Everything but the two counts is absent where the data is insufficient: a suppressed value stays
/// so, even where the server sent it. A flag that cannot be read, or a reason without a flag, means insufficient too.
struct GroupResult {
    Group group;
    std::optional<std::int64_t> participant_count;
    std::optional<std::int64_t> answer_count;
    std::optional<double> average_points;
    bool insufficient_data = false;
    std::optional<std::string> insufficient_data_reason;
    std::optional<Figures> point_categories;
    std::optional<Figures> question_average_points;  ///< `answer_percentages`, in the order of the questions
    Breakdown breakdown;                             ///< sorted

    friend bool operator==(const GroupResult&, const GroupResult&) = default;
};

/// A survey round inside a document, without its results.
struct Instance {
    std::optional<core::Instant> generated_at;
    std::optional<core::Instant> start_time;
    std::optional<core::Date> ends_on;
    std::optional<std::int64_t> minimum_answer_count;
    std::optional<double> point_minimum;  ///< of its object `point_categories`
    std::optional<double> point_maximum;
    std::optional<double> point_step;

    friend bool operator==(const Instance&, const Instance&) = default;
};

/// A survey document without its results and without the parts that are kept only as JSON.
struct SurveyDocument {
    std::optional<std::string> title;
    std::optional<bool> sub_report;
    std::optional<std::string> business_id;           ///< `report_business_id`
    std::optional<std::string> business_description;  ///< `report_business_desc`
    std::vector<Question> questions;
    std::vector<Instance> instances;  ///< latest first
    std::vector<Drift> drift;

    friend bool operator==(const SurveyDocument&, const SurveyDocument&) = default;
};

/// Takes the results as they are decoded.
class ResultVisitor {
public:
    ResultVisitor() = default;
    ResultVisitor(const ResultVisitor&) = delete;
    ResultVisitor& operator=(const ResultVisitor&) = delete;
    virtual ~ResultVisitor() = default;

    /// `ordinal` counts the instances from 0, the latest. A group is visited at most once in an instance. The result is
    /// good for the length of the call.
    virtual void visit(std::int64_t ordinal, const GroupResult& result) = 0;
};

/// Decodes a document in constant memory: one pass where its teams and tags come before its instances (as the server
/// sends them), two where they do not. Throws DecodeError, whose operation() is `energy_levels` or `report_data`, where
/// it is no JSON object or `questions` or `instances` are missing or no arrays, or a question has no id; results may
/// have been visited by then. Throws std::runtime_error where the original is damaged.
///
/// Energy levels have no results of tags. Of a member that stands twice in an object the first counts, though jsonb
/// keeps the last: results are handed on as they are read.
SurveyDocument decode_survey_document(SurveyDocumentKind kind, const Original& original, ResultVisitor& visitor);

/// Whether the JSON of a document could be stored as it came.
enum class DocumentStatus {
    stored,
    sanitised,  ///< NUL, lone surrogates, invalid UTF-8, numbers or nesting beyond PostgreSQL's were replaced, or
                ///< values that were to be suppressed
    too_large   ///< beyond what jsonb can hold: no JSON is stored
};

/// Writes the document as JSON text that PostgreSQL's jsonb takes, in pieces of about 64 KiB that each end between two
/// characters. A report loses its top-level member `id`, which is the data instance id; a group whose data is
/// insufficient loses the values that the server sent all the same. Where the document is too large
/// for jsonb the sink is restarted, and left empty. Throws DecodeError where the bytes are no JSON object, and
/// std::runtime_error where the original is damaged.
DocumentStatus write_storable_json(SurveyDocumentKind kind, const Original& original, core::ByteSink& sink);

}  // namespace heiasync::documents
