#pragma once

#include "simulator/faults.hpp"

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace heiasync::testing {

/// A kind of fault, and how the rules of docs/rules.md have a run end that meets it. An ending is written as
///
///     done             exit 0, `succeeded`
///     rejected         exit 77, `failed`
///     unavailable      exit 69, `failed`
///     REASON STATUS    exit 1, `partial`: the one task failed for this reason, and with this http_status (- for none)
///     -                there is no such fault of this call
///
/// The first word is for a fault that passes, the second for one that lasts.
struct FaultCase {
    struct Endings {
        std::string_view passing;
        std::string_view lasting;
    };

    std::string_view name;
    std::string passing;  ///< as simulator::parse_fault() reads it
    std::string lasting;
    Endings token;
    Endings organisations;
    Endings organisation_call;  ///< stats, energy levels and the report listing
    Endings full_data;
    std::string_view needs;  ///< `paging`, `timeout`, `patience` or `tls`: see fault_matrix_test.cpp
};

/// `{elsewhere}` in a fault stands for the base URL of a second server.
extern const std::vector<FaultCase> fault_cases;

inline constexpr std::array calls{simulator::Operation::token,   simulator::Operation::organisations,
                                  simulator::Operation::stats,   simulator::Operation::energy_levels,
                                  simulator::Operation::reports, simulator::Operation::full_data};

const FaultCase::Endings& endings_of(const FaultCase& fault, simulator::Operation call);

}  // namespace heiasync::testing
