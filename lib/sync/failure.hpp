#pragma once

#include "sync/run_report.hpp"

#include <exception>
#include <stdexcept>
#include <string>

namespace heiasync::sync {

/// The run cannot go on; what is stored stays.
struct RunEnd : std::runtime_error {
    RunEnd(EarlyEnd early_end, const std::string& why) : std::runtime_error{why}, reason{early_end} {}
    EarlyEnd reason;
};

/// Why a run ended early.
struct Failure {
    EarlyEnd early_end = EarlyEnd::bug;
    std::string why;
};

constexpr const char* stopped_by_signal = "stopped by a signal";

/// What an exception means for the run that it ends.
Failure classify(const std::exception_ptr& thrown);

}  // namespace heiasync::sync
