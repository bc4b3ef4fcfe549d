#pragma once

#include <map>
#include <string>
#include <string_view>

namespace heiasync::testing {

/// A port of the loopback address where nobody else listens, as long as nobody asks for one.
unsigned free_port();

/// What whoever listens at a port of the loopback address answers to these bytes.
std::string ask(unsigned port, std::string_view request);

/// The samples of an answer in the text format of Prometheus, by their series.
std::map<std::string, double> samples(const std::string& answer);

}  // namespace heiasync::testing
