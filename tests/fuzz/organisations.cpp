#include "documents/field_reader.hpp"
#include "fuzz/page.hpp"

#include <set>

namespace heiasync::fuzz {

namespace {

void check_item(const documents::Organisation& organisation) {
    require(is_storable(organisation.name), "a name can be stored");
    require(!organisation.name.empty(), "a name is not empty");
    const auto& ids = organisation.business_ids;
    require(std::set<std::string>{ids.begin(), ids.end()}.size() == ids.size(), "no business id stands twice");
    for (const auto& id : ids) {
        require(is_storable(id), "a business id can be stored");
        require(!id.empty() && id.size() <= documents::FieldReader::max_business_id, "a business id can be a key");
    }
}

}  // namespace

void check(std::string_view input) {
    for (const auto& organisation : decode_page(documents::decode_organisations, input, "organisations")) {
        check_item(organisation);
    }
}

}  // namespace heiasync::fuzz
