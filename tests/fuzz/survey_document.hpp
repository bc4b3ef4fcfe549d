#pragma once

#include "documents/survey_document.hpp"

#include <string_view>

namespace heiasync::fuzz {

/// What holds for a survey document of either kind, and for what is stored of it.
void check_survey_document(documents::SurveyDocumentKind kind, std::string_view text);

}  // namespace heiasync::fuzz
