#include "support/listener.hpp"

#include "support/postgres.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <stdexcept>
#include <utility>

namespace heiasync::testing {
namespace {

constexpr const char* end_of_what_was_committed = "that is all";

std::string without_spaces(const char* json) {
    rapidjson::Document document;
    if (document.Parse(json).HasParseError()) {
        throw std::runtime_error{std::string{"an event is no JSON: "} + json};
    }
    rapidjson::StringBuffer buffer;
    rapidjson::Writer<rapidjson::StringBuffer> writer{buffer};
    document.Accept(writer);
    return buffer.GetString();
}

}  // namespace

struct Listener::Session {
    explicit Session(const std::string& url) : connection{PQconnectdb(url.c_str()), &PQfinish} {
        const std::unique_ptr<PGresult, decltype(&PQclear)> result{PQexec(connection.get(), "LISTEN heiasync"),
                                                                   &PQclear};
        if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) {
            throw std::runtime_error{PQerrorMessage(connection.get())};
        }
    }

    /// Blocks until there is one.
    std::string next() {
        for (;;) {
            if (PQconsumeInput(connection.get()) == 0) {
                throw std::runtime_error{PQerrorMessage(connection.get())};
            }
            const std::unique_ptr<PGnotify, decltype(&PQfreemem)> notification{PQnotifies(connection.get()),
                                                                               &PQfreemem};
            if (notification) {
                return notification->extra;
            }
            pollfd readable{PQsocket(connection.get()), POLLIN, 0};
            poll(&readable, 1, -1);
        }
    }

    std::unique_ptr<PGconn, decltype(&PQfinish)> connection;
};

Listener::Listener(std::string url) : url_{std::move(url)}, session_{std::make_unique<Session>(url_)} {}

Listener::~Listener() = default;

std::vector<std::string> Listener::heard() {
    query(url_, std::string{"SELECT pg_notify('heiasync', '"} + end_of_what_was_committed + "')");
    std::vector<std::string> events;
    for (std::string payload = session_->next(); payload != end_of_what_was_committed; payload = session_->next()) {
        events.push_back(without_spaces(payload.c_str()));
    }
    return events;
}

}  // namespace heiasync::testing
