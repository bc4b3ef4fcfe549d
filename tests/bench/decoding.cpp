#include "decoding.hpp"

#include "documents/original.hpp"
#include "documents/survey_document.hpp"
#include "history/survey_rows.hpp"

#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace heiasync::bench {

namespace {

using documents::SurveyDocumentKind;

struct Document {
    SurveyDocumentKind kind;
    std::string_view text;
    documents::Original original;
};

/// What history does with results, up to the connection.
class Lines final : public documents::ResultVisitor {
public:
    void visit(std::int64_t ordinal, const documents::GroupResult& result) override {
        const documents::Group& group = result.group;
        row_ = document_;
        row_.add(ordinal, history::to_string(group.scope), group.team_id, group.team_name, group.tag_id,
                 group.tag_name);
        history::add_result(row_, result);
        line_.clear();
        row_.append_line(line_);
        size_ += line_.size();
    }

    [[nodiscard]] std::size_t size() const { return size_; }

private:
    history::Row document_{1, 2, 3};
    history::Row row_;
    std::string line_;
    std::size_t size_ = 0;
};

std::vector<Document> documents_among(const Answers& answers) {
    std::vector<Document> documents;
    for (const auto& [key, answer] : answers) {
        const bool energy_levels = key.ends_with("/energy_levels");
        if (energy_levels || key.ends_with("/full_data")) {
            documents::OriginalWriter writer;
            writer.write(body_of(answer));
            documents.push_back({energy_levels ? SurveyDocumentKind::energy_levels : SurveyDocumentKind::report,
                                 body_of(answer), writer.finish()});
        }
    }
    return documents;
}

template <class Pass>
double best_rate(const std::vector<Document>& documents, Pass pass) {
    constexpr int passes = 20;
    std::size_t size = 0;
    for (const auto& document : documents) {
        size += document.text.size();
    }
    double best = 0;
    for (int number = 0; number < passes; ++number) {
        const auto begin = std::chrono::steady_clock::now();
        for (const auto& document : documents) {
            pass(document);
        }
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
        best = std::max(best, static_cast<double>(size) / took.count());
    }
    return best;
}

void decode(const Document& document) {
    Lines lines;
    documents::decode_survey_document(document.kind, document.original, lines);
    if (lines.size() == 0) {
        throw std::logic_error{"a document without results"};
    }
}

void read_plainly(const Document& document) {
    rapidjson::MemoryStream stream{document.text.data(), document.text.size()};
    rapidjson::BaseReaderHandler<> handler;
    rapidjson::Reader reader;
    if (!reader.Parse<rapidjson::kParseIterativeFlag>(stream, handler)) {
        throw std::logic_error{"a document that is no JSON"};
    }
}

}  // namespace

DecodingRates decoding_rates(const Answers& answers) {
    const auto documents = documents_among(answers);
    return {best_rate(documents, decode), best_rate(documents, read_plainly)};
}

}  // namespace heiasync::bench
