#include "originals.hpp"

#include <zstd.h>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <string_view>

namespace heiasync::testing {

namespace {

std::string bytes_of_hex(std::string_view hex) {
    std::string bytes;
    for (std::size_t position = 0; position + 1 < hex.size(); position += 2) {
        unsigned char byte = 0;
        std::from_chars(hex.data() + position, hex.data() + position + 2, byte, 16);
        bytes.push_back(static_cast<char>(byte));
    }
    return bytes;
}

std::string decompress(const std::string& compressed, std::size_t size) {
    std::string text(size + 1, '\0');
    const auto length = ZSTD_decompress(text.data(), text.size(), compressed.data(), compressed.size());
    EXPECT_EQ(ZSTD_isError(length), 0U) << ZSTD_getErrorName(length);
    text.resize(std::min(length, text.size()));
    return text;
}

}  // namespace

void expect_original(const Installation& installation, const std::string& relation, const std::string& where,
                     const std::string& sent) {
    EXPECT_EQ(installation.value(
                  fmt::format("SELECT string_agg(DISTINCT coding, ',') FROM heiasync.{} WHERE {}", relation, where)),
              "zstd");
    EXPECT_EQ(difference({fmt::format("{}|{}", sent.size(), sha256_hex(sent))},
                         installation.lines(fmt::format("SELECT DISTINCT document_size, encode(document_sha256, 'hex') "
                                                        "FROM heiasync.{} WHERE {}",
                                                        relation, where))),
              "");
    const auto compressed = bytes_of_hex(installation.value(
        fmt::format("SELECT encode(string_agg(bytes, ''::bytea ORDER BY piece), 'hex') FROM heiasync.{} WHERE {}",
                    relation, where)));
    EXPECT_LT(compressed.size(), sent.size());
    EXPECT_TRUE(decompress(compressed, sent.size()) == sent) << "the bytes differ";
}

std::set<std::string> kept_digests(const Installation& installation, const std::string& relation,
                                   const std::string& id_column, const std::string& where) {
    std::set<std::string> digests;
    for (const auto& line :
         installation.lines(fmt::format("SELECT organisation_id, document_size, encode(string_agg(bytes, ''::bytea "
                                        "ORDER BY piece), 'hex'), {0} FROM "
                                        "heiasync.{1} WHERE {2} GROUP BY organisation_id, document_size, {0}",
                                        id_column, relation, where))) {
        const auto size = line.find('|') + 1;
        const auto bytes = line.find('|', size) + 1;
        const auto text = decompress(bytes_of_hex(std::string_view{line}.substr(bytes, line.rfind('|') - bytes)),
                                     std::stoull(line.substr(size)));
        digests.insert(line.substr(0, size) + sha256_hex(text));
    }
    return digests;
}

std::vector<std::string> kept_documents(const Installation& installation, const std::string& relation,
                                        const std::string& id_column, const std::string& where) {
    std::vector<std::string> documents;
    const auto rows = installation.json(
        fmt::format("SELECT document_size AS size, encode(string_agg(bytes, ''::bytea ORDER BY piece), 'hex') AS bytes "
                    "FROM heiasync.{0} WHERE {2} GROUP BY organisation_id, document_size, {1} "
                    "ORDER BY organisation_id, {1}",
                    relation, id_column, where));
    for (const auto& row : rows.GetArray()) {
        documents.push_back(decompress(bytes_of_hex(row["bytes"].GetString()), row["size"].GetUint64()));
    }
    return documents;
}

std::string sha256_hex(const std::string& text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha256(), nullptr);
    std::string hex;
    for (const auto byte : std::span{digest}.first(length)) {
        hex += fmt::format("{:02x}", byte);
    }
    return hex;
}

}  // namespace heiasync::testing
