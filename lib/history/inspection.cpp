#include "history/inspection.hpp"

#include "history/session.hpp"

#include <chrono>

namespace heiasync::history {

namespace {

using namespace std::chrono_literals;

constexpr Session::Limits limits{.statement = 60s, .lock = 10s};

// By way of the catalogue: to_regclass() fails for a role that may not use the schema.
constexpr Statement look{
    "look at the database",
    "SELECT current_setting('server_version_num')::integer, current_setting('server_version'), "
    "current_setting('server_encoding'), current_user, "
    "coalesce((SELECT pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE nspname = 'heiasync'), "
    "has_database_privilege(current_database(), 'CREATE')), "
    "(SELECT has_schema_privilege(relnamespace, 'USAGE') AND has_table_privilege(pg_class.oid, 'INSERT') "
    "FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace "
    "WHERE nspname = 'heiasync' AND relname = 'sync_runs'), "
    "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"};
constexpr Statement select_unknown_time_zones{
    "look for time zones",
    "SELECT name FROM unnest($1::text[]) WITH ORDINALITY AS asked (name, place) "
    "WHERE name NOT IN (SELECT name FROM pg_timezone_names) ORDER BY place"};

}  // namespace

Inspection inspect(const std::string& url) {
    Session session{url, limits};
    Inspection inspection;
    session.transact([&inspection](Transaction& transaction) {
        const auto row = transaction.run(look)[0];
        inspection.version_number = row[0].as<int>();
        inspection.version = row[1].as<std::string>();
        inspection.encoding = row[2].as<std::string>();
        inspection.role = row[3].as<std::string>();
        inspection.may_migrate = row[4].as<bool>();
        if (!row[5].is_null()) {
            inspection.may_store = row[5].as<bool>();
        }
        inspection.now = instant_of(row[6]);
    });
    return inspection;
}

std::vector<std::string> unknown_time_zones(const std::string& url, const std::vector<std::string>& names) {
    Session session{url, limits};
    std::vector<std::string> unknown;
    session.transact([&](Transaction& transaction) {
        for (const auto& row : transaction.run(select_unknown_time_zones, Value::array(names))) {
            unknown.push_back(row[0].as<std::string>());
        }
    });
    return unknown;
}

}  // namespace heiasync::history
