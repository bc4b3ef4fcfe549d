#include "documents/figures.hpp"

#include "documents/cursor.hpp"
#include "documents/number.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <utility>

namespace heiasync::documents {

bool Figures::append(std::optional<std::string_view> number) {
    const auto value = number ? to_double(*number) : std::nullopt;
    if (!value) {
        text_ += "null";
    } else if (number->size() <= Cursor::max_plain_number) {
        text_ += *number;
    } else {
        fmt::format_to(std::back_inserter(text_), "{}", *value);
    }
    text_ += ',';
    ++size_;
    return value.has_value();
}

void Figures::append(const Figures& others) {
    text_ += others.text_;
    size_ += others.size_;
}

void Figures::append_plain(Cursor& cursor) {
    size_ += cursor.take_plain_numbers(text_);
}

void Figures::clear() {
    text_.clear();
    size_ = 0;
}

std::string_view Figures::text() const {
    return std::string_view{text_}.substr(0, text_.empty() ? 0 : text_.size() - 1);
}

std::vector<std::optional<std::string_view>> Figures::numbers() const {
    std::vector<std::optional<std::string_view>> numbers;
    for (std::string_view rest = text_; !rest.empty(); rest.remove_prefix(rest.find(',') + 1)) {
        const auto text = rest.substr(0, rest.find(','));
        numbers.push_back(text == "null" ? std::nullopt : std::optional{text});
    }
    return numbers;
}

void Breakdown::add(std::int64_t question_id, const Figures& figures) {
    if (question_ids_.empty()) {
        constexpr std::size_t usual = 16;
        question_ids_.reserve(usual);
        ends_.reserve(usual);
    }
    question_ids_.push_back(question_id);
    figures_.append(figures);
    ends_.push_back(figures_.size());
}

void Breakdown::sort() {
    if (std::ranges::adjacent_find(question_ids_, std::ranges::greater_equal{}) == question_ids_.end()) {
        return;
    }
    const auto numbers = figures_.numbers();
    std::map<std::int64_t, Figures> by_id;
    for (std::size_t i = 0; i < question_ids_.size(); ++i) {
        Figures figures;
        for (auto at = i == 0 ? 0 : ends_[i - 1]; at < ends_[i]; ++at) {
            figures.append(numbers[at]);
        }
        by_id.emplace(question_ids_[i], std::move(figures));
    }
    clear();
    for (const auto& [id, figures] : by_id) {
        add(id, figures);
    }
}

void Breakdown::clear() {
    question_ids_.clear();
    ends_.clear();
    figures_.clear();
}

}  // namespace heiasync::documents
