#pragma once

#include <yaml-cpp/mark.h>

#include <filesystem>
#include <string>
#include <vector>

namespace heiasync::config {

/// A spot in the file, counted from 1 as editors do.
struct Place {
    int line = 1;
    int column = 1;

    Place() = default;
    explicit Place(const YAML::Mark& mark);  ///< a mark that says nothing is the beginning of the file
    friend auto operator<=>(const Place&, const Place&) = default;
};

/// Messages about spots of a file.
class Notes {
public:
    void add(Place place, std::string message);
    [[nodiscard]] bool empty() const { return notes_.empty(); }

    /// Each as `file:line:column: message`, in the order of the file.
    [[nodiscard]] std::vector<std::string> lines(const std::filesystem::path& file) const;

private:
    struct Note {
        Place place;
        std::string message;
    };
    std::vector<Note> notes_;
};

}  // namespace heiasync::config
