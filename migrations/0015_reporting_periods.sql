-- The reporting periods in SQL, for what is expected and for the usage beside each period.

CREATE FUNCTION heiasync.reporting_periods(from_date date, until_date date)
RETURNS TABLE (period_start date, period_end date) LANGUAGE plpgsql STABLE STRICT ROWS 100 AS $$
DECLARE
    since   date[] := ARRAY['-infinity'::date];
    lengths integer[];
    newest  integer := 1;
    setting record;
    day     timestamp := from_date;
    months  integer;
BEGIN
    FOR setting IN
        SELECT (valid_from AT TIME ZONE time_zone)::date AS changed_on, reporting_period_months::integer AS months
        FROM heiasync.settings_history ORDER BY settings_id
    LOOP
        IF lengths IS NULL THEN
            lengths := ARRAY[setting.months];
            CONTINUE;
        END IF;
        IF since[newest] > setting.changed_on THEN
            newest := newest - 1;
        END IF;
        IF setting.months <> lengths[newest] THEN
            -- Periods of both lengths begin where those of their least common multiple do.
            months := lcm(setting.months, lengths[newest]);
            newest := newest + 1;
            lengths[newest] := setting.months;
            since[newest] := date_trunc('month', setting.changed_on::timestamp)
                + make_interval(months => months - (extract(month FROM setting.changed_on)::integer - 1) % months);
        END IF;
    END LOOP;

    WHILE lengths IS NOT NULL AND day <= until_date LOOP
        FOR place IN REVERSE newest .. 1 LOOP
            months := lengths[place];
            EXIT WHEN since[place] <= day;
        END LOOP;
        day := date_trunc('month', day) - make_interval(months => (extract(month FROM day)::integer - 1) % months);
        period_start := day;
        day := day + make_interval(months => months);
        period_end := day - interval '1 day';
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION heiasync.reporting_periods(date, date) IS 'Internal. The reporting periods that have a day from the one date to the other, both inclusive, by settings_history: another length counts from the first date after the change on which periods of both lengths begin, and the same length again takes back a change that does not count yet. The first length holds for all time before.';
