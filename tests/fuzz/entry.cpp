#include "fuzz/entry.hpp"

#include "fuzz/property.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): libFuzzer's bytes are unsigned.
    heiasync::fuzz::check({reinterpret_cast<const char*>(data), size});
    return 0;
}
