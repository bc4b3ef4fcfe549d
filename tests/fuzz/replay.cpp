#include "fuzz/entry.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <vector>

/// Runs a target on every file of the folders it is given, for builds without libFuzzer.
int main(int argc, char** argv) {
    namespace fs = std::filesystem;
    std::vector<fs::path> files;
    for (int i = 1; i < argc; ++i) {
        std::copy(fs::directory_iterator{argv[i]}, fs::directory_iterator{}, std::back_inserter(files));
    }
    if (files.empty()) {
        std::cerr << "no corpus\n";
        return EXIT_FAILURE;
    }
    std::sort(files.begin(), files.end());
    LLVMFuzzerTestOneInput(nullptr, 0);
    for (const auto& file : files) {
        std::cerr << file.string() << '\n';
        std::ifstream stream{file, std::ios::binary};
        const std::vector<char> bytes{std::istreambuf_iterator<char>{stream}, {}};
        // A vector of its own for the bytes, and nothing behind them: reading further is found.
        const std::vector<std::uint8_t> data{bytes.begin(), bytes.end()};
        LLVMFuzzerTestOneInput(data.data(), data.size());
    }
    return EXIT_SUCCESS;
}
