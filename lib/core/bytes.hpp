#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace heiasync::core {

/// Takes bytes as they arrive.
class ByteSink {
public:
    ByteSink() = default;
    ByteSink(const ByteSink&) = delete;
    ByteSink& operator=(const ByteSink&) = delete;
    virtual ~ByteSink() = default;

    /// Forgets all that was written: what follows is another attempt at the same thing.
    virtual void restart() = 0;
    virtual void write(std::string_view bytes) = 0;
};

/// Gives bytes piece by piece.
class ByteSource {
public:
    ByteSource() = default;
    ByteSource(const ByteSource&) = delete;
    ByteSource& operator=(const ByteSource&) = delete;
    virtual ~ByteSource() = default;

    /// The next piece, valid until the next call; empty at the end, and only there.
    virtual std::string_view read() = 0;
};

/// Keeps what is written in one string, for answers known to be small.
class StringSink final : public ByteSink {
public:
    void restart() override { text_.clear(); }
    void write(std::string_view bytes) override { text_ += bytes; }

    [[nodiscard]] const std::string& text() const { return text_; }

private:
    std::string text_;
};

/// Gives a text that stands in memory. The text must outlive the source.
class StringSource final : public ByteSource {
public:
    explicit StringSource(std::string_view text) : text_{text} {}
    std::string_view read() override { return std::exchange(text_, {}); }

private:
    std::string_view text_;
};

}  // namespace heiasync::core
