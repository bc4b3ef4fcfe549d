#include "history/error.hpp"

#include <string>
#include <utility>

namespace heiasync::history {

DatabaseError::DatabaseError(Kind kind, const std::string& what, std::string sqlstate)
    : std::runtime_error{what}, kind_{kind}, sqlstate_{std::move(sqlstate)} {}

}  // namespace heiasync::history
