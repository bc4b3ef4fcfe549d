#include "simulator/faults.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>

namespace heiasync::simulator {

namespace {

constexpr std::array<std::pair<std::string_view, Operation>, 7> operations{{{"token", Operation::token},
                                                                            {"organisations", Operation::organisations},
                                                                            {"stats", Operation::stats},
                                                                            {"energy_levels", Operation::energy_levels},
                                                                            {"reports", Operation::reports},
                                                                            {"full_data", Operation::full_data},
                                                                            {"unknown", Operation::unknown}}};

constexpr std::array<std::pair<std::string_view, Fault::Kind>, 17> kinds{
    {{"status", Fault::Kind::status},
     {"drop", Fault::Kind::drop},
     {"reset", Fault::Kind::reset},
     {"truncate", Fault::Kind::truncate},
     {"hang", Fault::Kind::hang},
     {"drip", Fault::Kind::drip},
     {"delay", Fault::Kind::delay},
     {"garbage", Fault::Kind::garbage},
     {"html", Fault::Kind::html},
     {"empty", Fault::Kind::empty},
     {"broken_gzip", Fault::Kind::broken_gzip},
     {"cut_short", Fault::Kind::cut_short},
     {"expired_token", Fault::Kind::expired_token},
     {"duplicate_items", Fault::Kind::duplicate_items},
     {"shift_items", Fault::Kind::shift_items},
     {"redirect", Fault::Kind::redirect},
     {"headers", Fault::Kind::headers}}};

template <class Table>
auto look_up(const Table& table, std::string_view name) {
    const auto found = std::ranges::find(table, name, &Table::value_type::first);
    return found == table.end() ? std::nullopt : std::optional{found->second};
}

template <class Number>
Number parse_number(std::string_view key, std::string_view text) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) {
        throw std::invalid_argument{fmt::format("{}={}: a number is expected", key, text)};
    }
    return number;
}

void set(Fault& fault, std::string_view key, std::string_view value) {
    const auto required = [&](auto found) {
        if (!found) {
            throw std::invalid_argument{fmt::format("there is no {} \"{}\"", key, value)};
        }
        return *found;
    };
    if (key == "kind") {
        fault.kind = required(look_up(kinds, value));
    } else if (key == "operation") {
        fault.operation = required(parse_operation(value));
    } else if (key == "organisation") {
        fault.organisation = parse_number<std::int64_t>(key, value);
    } else if (key == "business_id") {
        fault.business_id = value;
    } else if (key == "page") {
        fault.page = value;
    } else if (key == "times") {
        fault.times = parse_number<unsigned>(key, value);
    } else if (key == "after") {
        fault.after = parse_number<unsigned>(key, value);
    } else if (key == "status") {
        fault.status = parse_number<unsigned>(key, value);
    } else if (key == "body") {
        fault.body = value;
    } else if (key == "retry_after") {
        fault.retry_after = value;
    } else if (key == "retry_after_date") {
        fault.retry_after_date = std::chrono::seconds{parse_number<std::int64_t>(key, value)};
    } else if (key == "header") {
        const auto colon = value.find(": ");
        if (colon == std::string_view::npos) {
            throw std::invalid_argument{fmt::format("header={}: \"Name: value\" is expected", value)};
        }
        fault.headers.emplace_back(value.substr(0, colon), value.substr(colon + 2));
    } else if (key == "location") {
        fault.location = value;
    } else if (key == "interval") {
        fault.interval = std::chrono::milliseconds{parse_number<std::int64_t>(key, value)};
    } else if (key == "shift") {
        fault.shift = parse_number<int>(key, value);
    } else {
        throw std::invalid_argument{fmt::format("a fault has no \"{}\"", key)};
    }
}

bool hits(const Fault& fault, const Occasion& call) {
    return (!call.moved || fault.kind != Fault::Kind::redirect) &&
           fault.operation.value_or(call.operation) == call.operation &&
           (!fault.organisation || fault.organisation == call.organisation) &&
           fault.business_id.value_or(call.business_id) == call.business_id &&
           fault.page.value_or(call.page) == call.page && call.at >= fault.from && call.at < fault.until;
}

}  // namespace

std::string_view to_string(Operation operation) {
    return std::ranges::find(operations, operation, &decltype(operations)::value_type::second)->first;
}

std::optional<Operation> parse_operation(std::string_view name) {
    return look_up(operations, name);
}

Fault parse_fault(std::string_view text) {
    Fault fault;
    while (!text.empty()) {
        const auto part = text.substr(0, text.find(','));
        text.remove_prefix(std::min(part.size() + 1, text.size()));
        const auto equals = part.find('=');
        if (equals == std::string_view::npos) {
            throw std::invalid_argument{fmt::format("\"{}\": key=value is expected", part)};
        }
        set(fault, part.substr(0, equals), part.substr(equals + 1));
    }
    return fault;
}

void FaultPlan::add(Fault fault) {
    const std::scoped_lock lock{mutex_};
    faults_.push_back(std::move(fault));
}

void FaultPlan::clear() {
    const std::scoped_lock lock{mutex_};
    faults_.clear();
}

std::optional<Fault> FaultPlan::take(const Occasion& call) {
    const std::scoped_lock lock{mutex_};
    for (auto& fault : faults_) {
        if (fault.times == 0U || !hits(fault, call)) {
            continue;
        }
        if (fault.after > 0) {
            --fault.after;
            continue;
        }
        if (fault.times) {
            --*fault.times;
        }
        return fault;
    }
    return std::nullopt;
}

}  // namespace heiasync::simulator
