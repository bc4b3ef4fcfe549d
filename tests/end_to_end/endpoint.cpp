#include "endpoint.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <iterator>
#include <sstream>

namespace heiasync::testing {

using boost::asio::ip::tcp;

unsigned free_port() {
    boost::asio::io_context loop;
    return tcp::acceptor{loop, {boost::asio::ip::address_v4::loopback(), 0}}.local_endpoint().port();
}

std::string ask(unsigned port, std::string_view request) {
    tcp::iostream stream{"127.0.0.1", std::to_string(port)};
    stream.expires_after(std::chrono::seconds{30});
    stream << request << std::flush;
    return {std::istreambuf_iterator<char>{stream}, {}};
}

std::map<std::string, double> samples(const std::string& answer) {
    std::map<std::string, double> all;
    std::istringstream lines{answer.substr(answer.find("\r\n\r\n") + 4)};
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with('#')) {
            const auto end = line.rfind(' ');
            all.emplace(line.substr(0, end), std::stod(line.substr(end + 1)));
        }
    }
    return all;
}

}  // namespace heiasync::testing
