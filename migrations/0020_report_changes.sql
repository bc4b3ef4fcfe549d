-- What changed where a report was generated again.

CREATE VIEW heiasync.report_changes AS
WITH pair AS NOT MATERIALIZED (
    SELECT older.organisation_id, older.report_id, older.report_version_id AS older_report_version_id,
           newer.report_version_id AS newer_report_version_id
    FROM heiasync.report_versions AS older
    CROSS JOIN LATERAL (
        SELECT report_version_id FROM heiasync.report_versions AS later
        WHERE later.organisation_id = older.organisation_id AND later.report_id = older.report_id
          AND later.generated_at > older.generated_at
        ORDER BY later.generated_at LIMIT 1) AS newer
), side AS (
    SELECT pair.*, older_report_version_id AS report_version_id, false AS is_newer FROM pair
    UNION ALL
    SELECT pair.*, newer_report_version_id, true FROM pair
), figure AS (
    SELECT side.organisation_id, side.report_id, side.older_report_version_id, side.newer_report_version_id, side.is_newer,
           result.ordinal, result.scope, result.team_id, result.team_name, result.tag_id, result.tag_name,
           figures.question_id, figures.figure, figures.value
    FROM side
    JOIN heiasync.report_results AS result USING (organisation_id, report_version_id)
    JOIN heiasync.report_versions AS version USING (organisation_id, report_version_id)
    CROSS JOIN LATERAL (
        SELECT 0::bigint, unnest('{participant_count,answer_count,average_points}'::text[]),
               unnest(ARRAY[participant_count, answer_count, average_points]::float8[])
        UNION ALL
        SELECT 0, 'point_categories[' || place || ']', per_cent
        FROM unnest(point_categories) WITH ORDINALITY AS categories (per_cent, place)
        UNION ALL
        SELECT question.question_id, 'average_points', averages.points
        FROM unnest(question_average_points) WITH ORDINALITY AS averages (points, place)
        JOIN heiasync.survey_questions AS question
          ON question.question_set_id = version.question_set_id AND question.question_ordinal = averages.place
        UNION ALL
        SELECT breakdown.question_id, 'option_breakdown[' || place - preceding || ']', per_cent
        FROM unnest(breakdown_values) WITH ORDINALITY AS options (per_cent, place)
        JOIN (SELECT question_id, last, lag(last, 1, 0) OVER () AS preceding
              FROM unnest(breakdown_question_ids, breakdown_ends) AS breakdown (question_id, last)) AS breakdown
          ON place > preceding AND place <= last
    ) AS figures (question_id, figure, value)
    WHERE figures.value IS NOT NULL
)
SELECT report_id, older_report_version_id, newer_report_version_id, organisation_id, ordinal, scope, team_id, tag_id,
       question_id, figure, max(value) FILTER (WHERE NOT is_newer) AS old_value,
       max(value) FILTER (WHERE is_newer) AS new_value,
       (array_agg(team_name ORDER BY is_newer DESC))[1] AS team_name,
       (array_agg(tag_name ORDER BY is_newer DESC))[1] AS tag_name
FROM figure
GROUP BY organisation_id, report_id, older_report_version_id, newer_report_version_id, ordinal, scope, team_id, tag_id,
         question_id, figure
HAVING max(value) FILTER (WHERE NOT is_newer) IS DISTINCT FROM max(value) FILTER (WHERE is_newer);
COMMENT ON VIEW heiasync.report_changes IS 'One row is a figure of a group that differs between two consecutive versions of a report. A value that appeared or went is a change.';
COMMENT ON COLUMN heiasync.report_changes.report_id IS 'The report.';
COMMENT ON COLUMN heiasync.report_changes.older_report_version_id IS 'The version before.';
COMMENT ON COLUMN heiasync.report_changes.newer_report_version_id IS 'The version directly after it, by generated_at.';
COMMENT ON COLUMN heiasync.report_changes.organisation_id IS 'The organisation.';
COMMENT ON COLUMN heiasync.report_changes.ordinal IS 'The survey round: 0 is the latest of each version.';
COMMENT ON COLUMN heiasync.report_changes.scope IS 'Whose figure it is: global, organisation, team, tag or team_tag.';
COMMENT ON COLUMN heiasync.report_changes.team_id IS 'The team; 0 where the scope has none.';
COMMENT ON COLUMN heiasync.report_changes.tag_id IS 'The tag; 0 where the scope has none.';
COMMENT ON COLUMN heiasync.report_changes.question_id IS 'The question; 0 where the figure is that of the whole survey.';
COMMENT ON COLUMN heiasync.report_changes.figure IS 'participant_count, answer_count, average_points, point_categories[N] or option_breakdown[N], N from 1 in the order of the document.';
COMMENT ON COLUMN heiasync.report_changes.old_value IS 'The figure in the older version, in its own unit (users, points or per cent); NULL where that has none.';
COMMENT ON COLUMN heiasync.report_changes.new_value IS 'The figure in the newer version; NULL where that has none.';
COMMENT ON COLUMN heiasync.report_changes.team_name IS 'Name of the team, by the newer version where it has the group.';
COMMENT ON COLUMN heiasync.report_changes.tag_name IS 'Name of the tag, by the newer version where it has the group.';

CALL heiasync.grant_to_roles();
