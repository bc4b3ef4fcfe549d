#pragma once

#include "answers.hpp"

namespace heiasync::bench {

/// In bytes of JSON a second, best of several passes.
struct DecodingRates {
    double ours = 0;   ///< documents inflated, decoded and made into lines of COPY
    double plain = 0;  ///< RapidJSON's bare SAX pass over the same bytes, not compressed
};

/// Of the documents among the answers.
DecodingRates decoding_rates(const Answers& answers);

}  // namespace heiasync::bench
