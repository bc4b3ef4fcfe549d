#include "config/tree.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>

#include <sstream>
#include <vector>

namespace heiasync::config {
namespace {

/// Where documents begin.
class Beginnings final : public YAML::EventHandler {
public:
    void OnDocumentStart(const YAML::Mark& mark) override { places.emplace_back(mark); }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& /*mark*/, YAML::anchor_t /*anchor*/) override {}
    void OnAlias(const YAML::Mark& /*mark*/, YAML::anchor_t /*anchor*/) override {}
    void OnScalar(const YAML::Mark& /*mark*/, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                  const std::string& /*value*/) override {}
    void OnSequenceStart(const YAML::Mark& /*mark*/, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                         YAML::EmitterStyle::value /*style*/) override {}
    void OnSequenceEnd() override {}
    void OnMapStart(const YAML::Mark& /*mark*/, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                    YAML::EmitterStyle::value /*style*/) override {}
    void OnMapEnd() override {}

    std::vector<Place> places;
};

/// YAML::LoadAll() would never end where a comma follows a document: to yaml-cpp there is one more before it, for ever.
void expect_one_document(const std::string& text, Notes& mistakes) {
    std::istringstream stream{text};
    YAML::Parser parser{stream};
    Beginnings beginnings;
    if (parser.HandleNextDocument(beginnings) && parser.HandleNextDocument(beginnings)) {
        mistakes.add(beginnings.places.back(), "expected one YAML document, found another");
    }
}

}  // namespace

YAML::Node read_tree(const std::string& text, Notes& mistakes) {
    try {
        expect_one_document(text, mistakes);
        return YAML::Load(text);
    } catch (const YAML::Exception& error) {
        // What follows a colon is quoted from the file.
        mistakes.add(Place{error.mark}, fmt::format("no valid YAML: {}", error.msg.substr(0, error.msg.find(':'))));
        return YAML::Node{};
    }
}

}  // namespace heiasync::config
