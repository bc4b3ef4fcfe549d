#include "support/wait_until.hpp"

#include <chrono>
#include <stdexcept>
#include <thread>

namespace heiasync::testing {

using namespace std::chrono_literals;

void wait_until(const std::function<bool()>& so) {
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    while (!so()) {
        if (std::chrono::steady_clock::now() > deadline) {
            throw std::runtime_error{"it never happened"};
        }
        std::this_thread::sleep_for(5ms);
    }
}

}  // namespace heiasync::testing
