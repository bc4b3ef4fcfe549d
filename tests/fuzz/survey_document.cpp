#include "fuzz/survey_document.hpp"

#include "documents/number.hpp"
#include "documents/open_answers.hpp"
#include "fuzz/decoding.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <regex>
#include <utility>
#include <vector>

namespace heiasync::fuzz {

namespace {

using documents::DocumentStatus;
using documents::GroupResult;
using documents::Original;
using documents::SurveyDocumentKind;

/// A document, and the results that were handed on while it was decoded.
struct Decoded {
    documents::SurveyDocument document;
    std::vector<std::pair<std::int64_t, GroupResult>> results;

    friend bool operator==(const Decoded&, const Decoded&) = default;
};

class Collector final : public documents::ResultVisitor {
public:
    void visit(std::int64_t ordinal, const GroupResult& result) override { results.emplace_back(ordinal, result); }

    std::vector<std::pair<std::int64_t, GroupResult>> results;
};

std::string_view operation_of(SurveyDocumentKind kind) {
    return kind == SurveyDocumentKind::report ? "report_data" : "energy_levels";
}

Original original_of(std::string_view text) {
    documents::OriginalWriter writer;
    writer.write(text);
    return writer.finish();
}

/// The same document in pieces of one compressed byte.
Original in_small_pieces(const Original& original) {
    Original small;
    small.size = original.size;
    small.sha256 = original.sha256;
    for (const auto& piece : original.pieces) {
        for (const char byte : piece) {
            small.pieces.emplace_back(1, byte);
        }
    }
    return small;
}

Outcome<Decoded> decode(SurveyDocumentKind kind, const Original& original) {
    Collector collector;
    try {
        auto document = documents::decode_survey_document(kind, original, collector);
        return {Decoded{std::move(document), std::move(collector.results)}, {}};
    } catch (const documents::DecodeError& error) {
        require_discreet(error, operation_of(kind));
        return {std::nullopt, error.what()};
    }
}

struct Stored {
    DocumentStatus status;
    std::string text;

    friend bool operator==(const Stored&, const Stored&) = default;
};

Outcome<Stored> store(SurveyDocumentKind kind, const Original& original) {
    core::StringSink sink;
    try {
        const auto status = documents::write_storable_json(kind, original, sink);
        return {Stored{status, sink.text()}, {}};
    } catch (const documents::DecodeError& error) {
        require_discreet(error, operation_of(kind));
        return {std::nullopt, error.what()};
    }
}

bool all_finite(const documents::Figures& figures) {
    return std::ranges::all_of(figures.numbers(), [](const auto& number) {
        return !number || std::isfinite(documents::to_double(*number).value_or(HUGE_VAL));
    });
}

void check_breakdown(const documents::Breakdown& breakdown) {
    const auto& ids = breakdown.question_ids();
    require(std::ranges::adjacent_find(ids, std::ranges::greater_equal{}) == ids.end(),
            "the questions of a breakdown are sorted");
    const auto& ends = breakdown.ends();
    require(ends.size() == ids.size() && std::ranges::is_sorted(ends), "each question has its figures");
    require(breakdown.figures().size() == (ends.empty() ? 0 : ends.back()), "each figure is of a question");
    require(breakdown.figures().numbers().size() == breakdown.figures().size(), "each figure counts");
    require(all_finite(breakdown.figures()), "a figure is a number");
}

void check_result(const GroupResult& result) {
    require(is_storable(result.group.team_name.value_or("")), "the name of a team can be stored");
    require(is_storable(result.group.tag_name.value_or("")), "the name of a tag can be stored");
    require(is_storable(result.insufficient_data_reason.value_or("")), "a reason can be stored");
    check_breakdown(result.breakdown);
    if (result.insufficient_data) {
        require(!result.average_points && !result.point_categories && !result.question_average_points &&
                    result.breakdown.question_ids().empty(),
                "what is suppressed stays so");
    }
    require(std::isfinite(result.average_points.value_or(0)), "a figure is a number");
    require(all_finite(result.point_categories.value_or(documents::Figures{})), "a figure is a number");
    require(all_finite(result.question_average_points.value_or(documents::Figures{})), "a figure is a number");
}

void check_decoded(const Decoded& decoded) {
    for (const auto& question : decoded.document.questions) {
        for (const auto& json : {question.title, question.category, question.options}) {
            if (json) {
                require_storable_json(*json);
            }
        }
    }
    for (const auto& text :
         {decoded.document.title, decoded.document.business_id, decoded.document.business_description}) {
        require(is_storable(text.value_or("")), "a text can be stored");
    }
    require_sound(decoded.document.drift);
    std::map<std::tuple<std::int64_t, documents::Scope, std::int64_t, std::int64_t>, int> groups;
    for (const auto& [ordinal, result] : decoded.results) {
        const auto& group = result.group;
        require(++groups[{ordinal, group.scope, group.team_id, group.tag_id}] == 1,
                "a group has one result in a round");
        require(ordinal >= 0 && std::cmp_less(ordinal, decoded.document.instances.size()), "a result is of a round");
        check_result(result);
    }
}

/// A number beyond PostgreSQL's numeric, of which null is stored: as a double it may be 0 all the same.
bool may_have_numbers_beyond_numeric(std::string_view text) {
    static const std::regex exponent{"[eE][+-]?[0-9]{4}"};
    return std::regex_search(text.begin(), text.end(), exponent);
}

/// What is stored says the same as what came, apart from what cannot be stored.
void check_stored(SurveyDocumentKind kind, std::string_view text, const Stored& stored,
                  const Outcome<Decoded>& decoded) {
    if (stored.status == DocumentStatus::too_large) {
        require(stored.text.empty(), "nothing is left of what is too large");
        return;
    }
    const auto events = require_storable_json(stored.text);
    const auto original = original_of(stored.text);
    require(store(kind, original).value == Stored{DocumentStatus::stored, stored.text}, "what is stored can be stored");
    const auto theirs = read_by_rapidjson(text, Encoding::utf8);
    if (stored.status == DocumentStatus::stored && kind == SurveyDocumentKind::energy_levels && theirs.usable) {
        require(theirs.events == events, "what can be stored is stored as it came");
    }

    // Deeper levels are cut, at another level where a part is stored by itself.
    constexpr auto shallow = 900;
    if (std::ranges::count(text, '[') + std::ranges::count(text, '{') < shallow &&
        !may_have_numbers_beyond_numeric(text)) {
        auto again = decode(kind, original);
        require(again.value.has_value() == decoded.value.has_value(), "what is stored decodes as what came does");
        if (again.value) {
            again.value->document.drift = decoded.value->document.drift;  // the names of members that are drift
            if (stored.status == DocumentStatus::sanitised) {
                // One that lost a character names nobody; what stands in its place is storable.
                again.value->document.business_id = decoded.value->document.business_id;
            }
            require(again.value == decoded.value, "what is stored has the results of what came");
        }
    }
}

/// Without its open answers a document has the same results, and nothing more to be taken out.
void check_open_answers(SurveyDocumentKind kind, const Original& original, const Decoded& decoded) {
    const auto rest = documents::without_open_answers(operation_of(kind), original);
    if (!rest) {
        return;
    }
    documents::verify(*rest);
    require(!documents::without_open_answers(operation_of(kind), *rest), "open answers go at once");
    auto again = decode(kind, *rest);
    require(again.value.has_value(), "a document without open answers is one");
    again.value->document.drift = decoded.document.drift;
    require(*again.value == decoded, "open answers are no results");
}

}  // namespace

void check_survey_document(SurveyDocumentKind kind, std::string_view text) {
    const auto original = original_of(text);
    const auto small = in_small_pieces(original);
    const auto decoded = decode(kind, original);
    const auto stored = store(kind, original);
    require(decode(kind, small) == decoded, "the pieces of a document make no difference");
    require(store(kind, small) == stored, "the pieces of a document make no difference");
    require(stored.value.has_value() || !decoded.value, "what is decoded can be stored");
    if (decoded.value) {
        check_decoded(*decoded.value);
        check_open_answers(kind, original, *decoded.value);
    }
    if (stored.value) {
        check_stored(kind, text, *stored.value, decoded);
    }
}

}  // namespace heiasync::fuzz
