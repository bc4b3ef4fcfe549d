#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace heiasync::http {

/// Undoes a content coding piece by piece. Made once and used for many bodies: it holds 100 kB.
class Inflater {
public:
    enum class Coding { gzip, deflate };

    /// What one call found. `output` is valid until the next call.
    struct Step {
        std::size_t consumed = 0;
        std::string_view output;
    };

    Inflater();
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;
    ~Inflater();

    /// Begins another body. `deflate` is taken with the zlib wrapping that the standard asks for, and without.
    void start(Coding coding);

    /// Decodes from the front of `input`, at most 64 KiB at a time: call until all is consumed and the output is empty.
    /// Throws Failure (protocol) for what is not of the coding, bytes after its end included.
    Step step(std::string_view input);

    /// Throws Failure (broken) unless the body ended where its coding says; an empty body is complete.
    void finish() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace heiasync::http
