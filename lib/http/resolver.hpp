#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace heiasync::http {

using Endpoints = std::vector<boost::asio::ip::tcp::endpoint>;

/// Looks a name up and blocks. Throws Failure (resolve).
using Lookup = Endpoints (*)(const std::string& host, std::uint16_t port);

/// The system's look-up: /etc/hosts, DNS and whatever nsswitch.conf says.
Endpoints system_lookup(const std::string& host, std::uint16_t port);

/// The addresses of a host, in the order in which they are to be tried. An address stands for itself. Names are looked
/// up on a thread of their own that is abandoned when the caller is cancelled: a look-up cannot be stopped, and where
/// DNS is a black hole neither a deadline nor the end of the process shall wait for it (the threads of asio's resolver
/// are joined).
boost::asio::awaitable<Endpoints> resolve(std::string host, std::uint16_t port, Lookup lookup);

}  // namespace heiasync::http
