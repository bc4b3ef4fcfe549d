#pragma once

#include <stdexcept>
#include <string>

namespace heiasync::documents {

/// An answer is not what we need it to be. Says which operation's answer, where in it (a JSON pointer, RFC 6901, with
/// members keyed by an id written as `*`) and what was expected; never what stood there.
class DecodeError : public std::runtime_error {
public:
    DecodeError(std::string operation, std::string json_pointer, const std::string& reason);

    [[nodiscard]] const std::string& operation() const { return operation_; }
    [[nodiscard]] const std::string& json_pointer() const { return json_pointer_; }

private:
    std::string operation_;
    std::string json_pointer_;
};

}  // namespace heiasync::documents
