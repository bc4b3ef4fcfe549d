#include "history/gaps.hpp"

#include "commands/commands.hpp"
#include "commands/place.hpp"
#include "commands/run_to_its_end.hpp"
#include "commands/schema.hpp"
#include "core/counted.hpp"
#include "core/json.hpp"
#include "core/printable.hpp"
#include "history/database.hpp"

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace heiasync::commands {

namespace {

constexpr date::days looked_back{400};
/// Of one date, stream and reason: more are counted.
constexpr std::size_t shown_one_by_one = 5;

/// What is done with the gaps of one date after the other.
class Output {
public:
    Output() = default;
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;
    virtual ~Output() = default;

    virtual void date(const std::vector<history::Gap>& gaps) = 0;
    virtual void end() = 0;
};

/// All of it at the end: half a document would be of no use to who reads it.
class AsJson final : public Output {
public:
    AsJson() {
        json_.begin_object();
        json_.key("gaps");
        json_.begin_array();
    }

    void date(const std::vector<history::Gap>& gaps) override {
        for (const history::Gap& gap : gaps) {
            json_.begin_object();
            write_place(json_, gap, gap.period_end, gap.generated_at);
            json_.member("expected_on", gap.expected_on);
            json_.member("state", gap.is_open ? "open" : "final");
            json_.member("reason", gap.reason);
            json_.member("last_error", gap.last_error);
            json_.member("last_attempt_at", gap.last_attempt_at);
            json_.end_object();
        }
    }

    void end() override {
        json_.end_array();
        json_.end_object();
        std::cout << json_.text() << '\n';
    }

private:
    core::Json json_;
};

std::string describe(const history::Gap& gap) {
    if (gap.organisation_id == 0) {
        return "the listing of organisations";
    }
    return fmt::format("organisation {}{}", gap.organisation_id, describe_place(gap, gap.period_end));
}

class ForPeople final : public Output {
public:
    void date(const std::vector<history::Gap>& gaps) override {
        std::map<std::tuple<history::Stream, bool, std::string>, std::vector<const history::Gap*>> groups;
        for (const history::Gap& gap : gaps) {
            groups[{gap.stream, gap.is_open, gap.reason}].push_back(&gap);
            ++(gap.is_open ? open_ : final_);
        }
        for (const auto& [key, members] : groups) {
            const auto& [stream, is_open, reason] = key;
            const auto line = [&, &stream = stream, &is_open = is_open, &reason = reason](const std::string& what) {
                std::cout << fmt::format("{}  {:<5}  {:<13}  {}: {}\n", core::format_date(members.front()->expected_on),
                                         is_open ? "open" : "final", history::to_string(stream),
                                         core::printable(reason), what);
            };
            if (members.size() > shown_one_by_one) {
                std::vector<std::int64_t> ids;
                std::ranges::transform(members, std::back_inserter(ids), &history::Gap::organisation_id);
                const auto repeated = std::ranges::unique(ids);
                ids.erase(repeated.begin(), repeated.end());
                line(fmt::format("{} cells of {}", members.size(),
                                 core::counted(static_cast<std::int64_t>(ids.size()), "organisation")));
                continue;
            }
            for (const history::Gap* gap : members) {
                line(describe(*gap) +
                     (gap->last_error ? ": " + core::printable(*gap->last_error, longest_error) : std::string{}));
            }
        }
    }

    void end() override {
        if (open_ + final_ > 0) {
            std::cout << fmt::format("\n{}: {} open, {} final; `heiasyncd why DATE` tells more of a date\n",
                                     core::counted(open_ + final_, "gap"), open_, final_);
        } else {
            std::cout << "no gaps\n";
        }
    }

private:
    std::int64_t open_ = 0;
    std::int64_t final_ = 0;
};

std::optional<history::HistoryDates> asked_for(boost::asio::io_context& loop, history::Database& database,
                                               const GapsCommand& command) {
    auto job = [](history::Transaction& transaction) { return history::history_dates(transaction); };
    auto dates = run_to_its_end(loop, database.transact(job));
    if (dates) {
        dates->today = std::min(dates->today, command.to.value_or(dates->today));
        const core::Date from = command.from.value_or(core::Date{date::sys_days{dates->today} - looked_back});
        dates->first = std::max(dates->first, from);
    }
    return dates;
}

}  // namespace

core::ExitCode gaps(const config::Config& config, const GapsCommand& command) {
    if (command.from && command.to && *command.from > *command.to) {
        throw CommandError{core::ExitCode::usage,
                           fmt::format("gaps: --from {} is later than --to {}", core::format_date(*command.from),
                                       core::format_date(*command.to))};
    }
    require_history(config);
    boost::asio::io_context loop{1};
    history::Database database{loop.get_executor(), config.database.url, {}, history::Access::read};
    const std::optional<history::HistoryDates> dates = asked_for(loop, database, command);
    if (!dates) {
        std::cerr << "heiasyncd: this database has no history yet: `heiasyncd run` or `heiasyncd sync` begins it\n";
    } else if (dates->first > dates->today) {
        std::cerr << "heiasyncd: none of these dates is in the history: it begins later, or they are to come\n";
    }

    std::unique_ptr<Output> output;
    if (command.json) {
        output = std::make_unique<AsJson>();
    } else {
        output = std::make_unique<ForPeople>();
    }
    bool any = false;
    for (core::Date day = dates ? dates->first : core::Date{}; dates && day <= dates->today;
         day = core::Date{date::sys_days{day} + date::days{1}}) {
        auto job = [day](history::Transaction& transaction) { return history::gaps(transaction, day); };
        std::vector<history::Gap> gaps = run_to_its_end(loop, database.transact(job));
        if (command.open) {
            std::erase_if(gaps, [](const history::Gap& gap) { return !gap.is_open; });
        }
        any = any || !gaps.empty();
        output->date(gaps);
    }
    output->end();
    return any ? core::ExitCode::incomplete : core::ExitCode::done;
}

}  // namespace heiasync::commands
