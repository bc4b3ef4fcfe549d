#include "support/postgres.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace heiasync::history {
namespace {

using heiasync::testing::PostgresServer;
using heiasync::testing::query;
using ::testing::IsEmpty;

/// What consumers rely on: relations, and their first columns in order. Types are given where the promise names them.
const std::map<std::string, std::string> promised{
    {"settings_history",
     "valid_from time_zone daily_at api_time_zone reporting_period_months minimum_accepted_members max_days_late "
     "stats_per_business_id energy_levels_per_business_id size_classes"},
    {"organisations",
     "organisation_id name size_class multi_business_id business_ids:text[] su_access first_seen_at last_seen_at "
     "removed_at"},
    {"organisation_history",
     "organisation_id name size_class multi_business_id business_ids:text[] su_access listed valid_from valid_to"},
    {"usage_stats",
     "organisation_id:bigint business_id observed_at observed_on total_membership_count:bigint "
     "hh_core_total_membership_count:bigint hh_core_accepted_membership_count:bigint app_use_count:bigint "
     "app_monthly_use_count:bigint extra:jsonb sync_run_id:bigint"},
    {"usage_stats_daily",
     "organisation_id:bigint business_id observed_at observed_on:date total_membership_count:bigint "
     "hh_core_total_membership_count:bigint hh_core_accepted_membership_count:bigint app_use_count:bigint "
     "app_monthly_use_count:bigint extra:jsonb sync_run_id:bigint observations:bigint previous_observed_on:date "
     "days_since_previous:bigint total_membership_count_delta:bigint "
     "hh_core_total_membership_count_delta:bigint hh_core_accepted_membership_count_delta:bigint "
     "app_use_count_delta:bigint app_monthly_use_count_delta:bigint counter_reset:boolean"},
    {"usage_stats_monthly",
     "organisation_id:bigint business_id month:date closing_on:date total_membership_count:bigint "
     "hh_core_total_membership_count:bigint hh_core_accepted_membership_count:bigint app_use_count:bigint "
     "app_monthly_use_count:bigint previous_closing_on:date total_membership_count_delta:bigint "
     "hh_core_total_membership_count_delta:bigint hh_core_accepted_membership_count_delta:bigint "
     "app_use_count_delta:bigint app_monthly_use_count_delta:bigint counter_reset:boolean observed_days:bigint "
     "days_in_month:bigint"},
    {"usage_stats_periods",
     "organisation_id:bigint business_id period_start:date period_end:date closing_on:date "
     "total_membership_count:bigint hh_core_total_membership_count:bigint "
     "hh_core_accepted_membership_count:bigint app_use_count:bigint app_monthly_use_count:bigint "
     "previous_closing_on:date total_membership_count_delta:bigint hh_core_total_membership_count_delta:bigint "
     "hh_core_accepted_membership_count_delta:bigint app_use_count_delta:bigint "
     "app_monthly_use_count_delta:bigint counter_reset:boolean observed_days:bigint days_in_period:bigint"},
    {"energy_levels",
     "energy_level_id organisation_id business_id period_start:date period_end:date fetched_at days_late "
     "minimum_answer_count document:jsonb document_status sync_run_id"},
    {"energy_level_results",
     "energy_level_id organisation_id business_id period_start period_end scope team_id:bigint team_name "
     "participant_count answer_count average_points insufficient_data insufficient_data_reason "
     "point_categories:float8[]"},
    {"energy_level_question_results",
     "energy_level_id organisation_id business_id period_start period_end scope team_id team_name question_id position "
     "question_title:jsonb category:jsonb options:jsonb average_points option_breakdown"},
    {"reports",
     "report_version_id report_id organisation_id business_id sub_report title business_description generated_at "
     "document_generated_at first_viewed_at scheduled_survey_id scheduled_survey_title survey_id survey_title:jsonb "
     "started_at ends_on closed enabled_questions:bigint[] copy_questions:text[] first_listed_at downloaded_at "
     "is_latest_version document:jsonb document_status sync_run_id"},
    {"report_instances",
     "report_version_id ordinal generated_at start_time ends_on minimum_answer_count point_minimum point_maximum "
     "point_step open_questions:jsonb similarities:jsonb"},
    {"report_results",
     "report_version_id report_id organisation_id ordinal scope team_id team_name tag_id tag_name participant_count "
     "answer_count average_points insufficient_data insufficient_data_reason point_categories:float8[]"},
    {"report_question_results",
     "report_version_id report_id organisation_id ordinal scope team_id team_name tag_id tag_name question_id position "
     "question_title:jsonb category:jsonb options:jsonb average_points option_breakdown"},
    {"sync_runs",
     "sync_run_id trigger run_on scheduled_for started_at finished_at status organisations requests failures "
     "bytes_received error host version timeline"},
    {"sync_tasks",
     "sync_task_id:bigint sync_run_id run_on organisation_id business_id stream period_start report_id status reason "
     "attempts http_status error started_at finished_at"},
    {"schema_drift", "stream json_pointer kind sample_type first_seen_at last_seen_at"},
    {"erasures", "what organisation_id:bigint report_id:bigint reason erased_at erased_by rows:bigint"},
    {"schema_migrations", "version name checksum applied_at duration_ms"},
    {"report_sources", "report_version_id data_instance_id"},
};

class Schema : public ::testing::Test {
protected:
    static const std::string& url() {
        static const std::string database = PostgresServer::shared().create_migrated_database();
        return database;
    }

    std::vector<std::vector<std::string>> columns(const std::string& relation) {
        return query(url(),
                     "SELECT attname, replace(format_type(atttypid, NULL), 'double precision', 'float8') "
                     "FROM pg_attribute WHERE attrelid = 'heiasync." +
                         relation + "'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum");
    }
};

TEST_F(Schema, HasThePromisedColumnsInTheirOrder) {
    for (const auto& [relation, list] : promised) {
        const auto actual = columns(relation);
        std::istringstream wanted{list};
        std::size_t at = 0;
        for (std::string word; wanted >> word; ++at) {
            ASSERT_LT(at, actual.size()) << relation << '.' << word;
            const auto colon = word.find(':');
            EXPECT_EQ(actual[at][0], word.substr(0, colon)) << relation;
            if (colon != std::string::npos) {
                EXPECT_EQ(actual[at][1], word.substr(colon + 1)) << relation << '.' << word;
            }
        }
    }
}

TEST_F(Schema, SaysWhatEachRelationAndColumnIs) {
    EXPECT_THAT(query(url(),
                      "SELECT relname, attname FROM pg_class LEFT JOIN pg_attribute "
                      "ON attrelid = pg_class.oid AND attnum >= 0 AND NOT attisdropped "
                      "WHERE relnamespace = 'heiasync'::regnamespace AND relkind IN ('r', 'v', 'm', 'p') "
                      "AND (col_description(pg_class.oid, attnum) IS NULL OR obj_description(pg_class.oid) IS NULL)"),
                IsEmpty());
    EXPECT_THAT(query(url(),
                      "SELECT proname FROM pg_proc WHERE pronamespace = 'heiasync'::regnamespace "
                      "AND obj_description(oid, 'pg_proc') IS NULL"),
                IsEmpty());
}

TEST_F(Schema, TakesNoTimeFromTheServersClock) {
    EXPECT_THAT(query(url(),
                      "SELECT adrelid::regclass, pg_get_expr(adbin, adrelid) FROM pg_attrdef "
                      "WHERE pg_get_expr(adbin, adrelid) ~* 'now|current|clock|timestamp|statement'"),
                IsEmpty());
}

TEST_F(Schema, HasNoKeyThatCanBeNull) {
    EXPECT_THAT(query(url(),
                      "SELECT attrelid::regclass, attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid "
                      "WHERE relnamespace = 'heiasync'::regnamespace AND relkind = 'r' AND NOT attnotnull "
                      "AND attname IN ('organisation_id', 'business_id', 'team_id', 'tag_id', 'sync_run_id')"),
                IsEmpty());
}

TEST_F(Schema, BeginsTheKeyOfEachLargeTableWithTheOrganisation) {
    EXPECT_THAT(query(url(),
                      "SELECT indrelid::regclass FROM pg_index JOIN pg_attribute "
                      "ON attrelid = indrelid AND attnum = indkey[0] "
                      "WHERE indisprimary AND indrelid::regclass::text ~ '^heiasync\\.(usage_stats|sync_tasks|"
                      "energy_level|report_|organisation_versions)' AND attname <> 'organisation_id'"),
                IsEmpty());
}

TEST_F(Schema, WritesNoDataInstanceIdIntoTheLogOfTheServer) {
    EXPECT_THAT(query(url(),
                      "SELECT indexrelid::regclass FROM pg_index "
                      "WHERE indrelid = 'heiasync.report_sources'::regclass AND pg_get_indexdef(indexrelid) ~ "
                      "'data_instance_id'"),
                IsEmpty())
        << "a unique violation would";
}

}  // namespace
}  // namespace heiasync::history
