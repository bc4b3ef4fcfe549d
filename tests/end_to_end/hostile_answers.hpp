#pragma once

#include "installation.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

/// Answers that are JSON of a kind that nobody should send, and answers that are none. Each becomes a row that says
/// what had to be done to it, or one failed task that names the spot and shows nothing; the other organisations notice
/// nothing of it.
namespace heiasync::testing {

/// Stands in names, titles and free text. Nothing but the rows themselves may ever show it.
inline constexpr std::string_view confidential = "confidential-text-of-a-survey";

inline constexpr std::size_t many_levels = 10'000;
inline constexpr std::size_t long_text_size = 5'000'000;

/// Arrays, one in the other.
std::string nested(std::size_t levels);
/// A JSON string of 5 MB.
std::string long_string(char letter);
/// The first occurrence of a part by another.
std::string replaced(std::string text, std::string_view what, std::string_view by);

/// An answer that is good for nothing but a failed task.
struct Refused {
    std::string name;
    std::string body;
    std::string error;  ///< what its text ends with
    std::string reason = "not_decodable";
};
/// Those that are refused whatever was asked for: no JSON, cut short, too large. `operation` names it in errors.
std::vector<Refused> refused_answers(const std::string& operation);

/// An installation with organisations enough that each hostile answer gets one of its own.
class HostileInstallation : public Installation {
public:
    HostileInstallation();

    [[nodiscard]] const Truth& truth() const { return truth_; }

    /// Another one with each call, of those that are suitable.
    std::int64_t next_organisation(const std::function<bool(const simulator::Organisation&)>& suitable);

    /// Has the organisation's calls, those for a business id aside, answered so.
    void answer(simulator::Operation operation, std::int64_t organisation, const std::string& body);

    /// Runs a sync of one stream, which is to end with `exit_code` and to leave nothing confidential in the ledger.
    void sync(const std::string& stream, int exit_code);

    /// Expects exactly these organisations to have failed, each with one task, as is said of it. 0 is the listing.
    void expect_failures(const std::map<std::int64_t, Refused>& refused) const;
    /// Expects what is said of an organisation, as SQL, to hold for its row in `relation`, those of business ids aside.
    void expect_rows(const std::string& relation, const std::map<std::int64_t, std::string>& conditions) const;
    /// Each as `JSON pointer|kind|type`.
    void expect_drift(const std::string& stream, const std::set<std::string>& drift) const;

private:
    Truth truth_ = truth_on("2026-07-01");
    std::vector<simulator::Organisation> organisations_ = truth_.organisations();
    std::size_t next_ = 0;
};

}  // namespace heiasync::testing
