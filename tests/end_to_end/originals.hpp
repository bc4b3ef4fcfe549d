#pragma once

#include "installation.hpp"

#include <set>
#include <string>
#include <vector>

namespace heiasync::testing {

/// Expects that the original bytes kept in `relation`, for the rows that `where` selects, are those that were sent:
/// their size, their SHA-256 and themselves.
void expect_original(const Installation& installation, const std::string& relation, const std::string& where,
                     const std::string& sent);

/// `ORGANISATION|SHA-256` of the documents kept in `relation` that `where` selects, each computed from its bytes.
/// `id_column` says which pieces belong together.
std::set<std::string> kept_digests(const Installation& installation, const std::string& relation,
                                   const std::string& id_column, const std::string& where);

/// Every document kept in `relation` that `where` selects, in the order of organisation and number.
std::vector<std::string> kept_documents(const Installation& installation, const std::string& relation,
                                        const std::string& id_column, const std::string& where = "true");

/// In lower-case hexadecimal.
std::string sha256_hex(const std::string& text);

}  // namespace heiasync::testing
