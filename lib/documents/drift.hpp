#pragma once

#include <compare>
#include <string>

namespace heiasync::documents {

/// Something in an answer that the vendor's document does not say.
struct Drift {
    enum class Kind {
        unknown_field,
        other_type,
        duplicate_field  ///< it stands twice in one object: the first counts
    };

    std::string json_pointer;  ///< array indexes and members keyed by an id are written as `*`
    Kind kind = Kind::unknown_field;
    std::string sample_type;  ///< null, boolean, number, string, array or object

    friend auto operator<=>(const Drift&, const Drift&) = default;
};

}  // namespace heiasync::documents
