#include "simulator/simulator.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <vector>

namespace {

using namespace heiasync::simulator;

/// Readable by its owner alone, from its first byte on.
void write_secret(const std::filesystem::path& path, const std::string& secret) {
    namespace fs = std::filesystem;
    std::ofstream{path}.close();
    fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
    std::ofstream file{path};
    file << secret << '\n';
    if (!file.flush()) {
        throw std::runtime_error{fmt::format("{}: cannot be written", path.string())};
    }
}

void write_credentials(const std::filesystem::path& directory, const Credentials& credentials) {
    std::filesystem::create_directories(directory);
    write_secret(directory / "magic_token", credentials.magic_token);
    write_secret(directory / "client_secret", credentials.client_secret);
}

void wait_for_signal() {
    boost::asio::io_context io;
    boost::asio::signal_set signals{io, SIGTERM, SIGINT};
    signals.async_wait([](const boost::system::error_code&, int) {});
    io.run();
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    std::string credentials_directory;
    std::vector<std::string> faults;
    std::int64_t latency = 0;
    std::string ca_file;
    const std::map<std::string, StatsShape> shapes{{"wrapped", StatsShape::wrapped}, {"bare", StatsShape::bare}};
    const std::map<std::string, CertificateFlaw> flaws{{"good", CertificateFlaw::none},
                                                       {"wrong-host", CertificateFlaw::wrong_host},
                                                       {"expired", CertificateFlaw::expired},
                                                       {"self-signed", CertificateFlaw::self_signed}};

    CLI::App app{
        "A fake HeiaHeia Admin API for demonstrations and tests. Prints its base URL on stdout when it listens;\n"
        "GET /simulator/summary tells what it saw."};
    app.add_option("--organisations", options.organisations, "how many organisations its world has")
        ->capture_default_str();
    app.add_option("--seed", options.seed, "another world for another number")->capture_default_str();
    app.add_option("--port", options.port, "0: a free one")->capture_default_str();
    app.add_option("--credentials-dir", credentials_directory,
                   "where to write magic_token and client_secret, as files of mode 0600");
    app.add_option("--stats-shape", options.stats_shape, "the answer of stats: wrapped (in `usage`) or bare")
        ->transform(CLI::CheckedTransformer(shapes));
    app.add_option("--latency", latency, "milliseconds before every answer")->check(CLI::NonNegativeNumber);
    app.add_option("--page-cap", options.page_cap, "most items on a page")->check(CLI::Range(1, 500));
    app.add_flag("--chunked", options.chunked, "send large bodies in chunks");
    app.add_option("--tls", options.tls, "https, with a certificate that is good, wrong-host, expired or self-signed")
        ->transform(CLI::CheckedTransformer(flaws));
    app.add_option("--ca-file", ca_file, "where to write the authority that signed the certificate")->needs("--tls");
    app.add_option("--fault", faults,
                   "what goes wrong, for example operation=stats,organisation=123,status=500,times=2; repeatable.\n"
                   "Kinds: status, drop, reset, truncate, hang, drip, delay, garbage, html, empty, broken_gzip,\n"
                   "cut_short, expired_token, duplicate_items, shift_items, redirect, headers");
    CLI11_PARSE(app, argc, argv);

    try {
        options.latency = std::chrono::milliseconds{latency};
        Simulator simulator{options};
        for (const auto& fault : faults) {
            simulator.fail(parse_fault(fault));
        }
        if (!credentials_directory.empty()) {
            write_credentials(credentials_directory, options.credentials);
        }
        if (!ca_file.empty()) {
            std::ofstream{ca_file} << simulator.ca_pem();
        }
        std::cout << simulator.base_url() << std::endl;
        wait_for_signal();
        std::cerr << simulator.summary() << '\n';
        return EXIT_SUCCESS;
    } catch (const std::exception& error) {
        std::cerr << "heiaheia-simulator: " << error.what() << '\n';
        return EXIT_FAILURE;
    }
}
