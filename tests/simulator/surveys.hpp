#pragma once

#include "simulator/world.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace heiasync::simulator {

/// A text in up to three languages; empty where it is not translated.
struct Wording {
    std::string_view en;
    std::string_view fi;
    std::string_view sv;
};

struct Category {
    std::int64_t id = 0;
    Wording title;
    Wording description;
    bool custom = false;
};

struct Question {
    std::int64_t id = 0;
    Wording title;
    Wording description;
    const Category* category = nullptr;
    bool custom = false;
    bool enabled = true;
};

/// The wording of a survey: what every organisation is asked.
struct SurveyText {
    std::int64_t id = 0;
    std::string_view report_key;
    Wording title;
    Wording description;
    std::int64_t parent_id = 0;  ///< 0: none
    std::span<const Category> categories;
    std::span<const Question> questions;
};

/// "Test your energy levels".
const SurveyText& energy_levels_survey();
const SurveyText& survey_text(SurveyKind kind);

/// The five options of every question, worst first: option n is worth n + 1 points.
std::span<const Wording> answer_options();

}  // namespace heiasync::simulator
