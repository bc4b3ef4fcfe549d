#include "fuzz/property.hpp"
#include "fuzz/survey_document.hpp"

void heiasync::fuzz::check(std::string_view input) {
    check_survey_document(documents::SurveyDocumentKind::report, input);
}
