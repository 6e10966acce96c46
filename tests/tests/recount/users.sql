-- Users by role and status at each instant, signups, and how many more users there are.
WITH instants (n, start, week, month, earlier, before) AS (VALUES {{instants}}),
told AS (
    SELECT subject, occurred_at AS at, seq, kind, body ->> 'role' AS role,
           body ->> 'status' AS status,
           -- With a deletion ends what was told before; whatever follows begins anew.
           count(CASE WHEN kind = 'user_deleted' THEN 1 END) OVER w AS life
      FROM facts
     WHERE kind IN ('user_created', 'user_changed', 'user_deleted')
    WINDOW w AS (PARTITION BY subject ORDER BY occurred_at, seq)
),
lives AS (
    SELECT told.*, count(CASE WHEN kind = 'user_created' THEN 1 END) OVER w AS births
      FROM told
    WINDOW w AS (PARTITION BY subject, life ORDER BY at, seq)
),
-- Who is there is not created again, and who is not there does not change.
heard AS (
    SELECT subject, life, at, seq, kind, role, status,
           -- A role that is told starts a run in which it stays; so does a status.
           count(role) OVER w AS role_run, count(status) OVER w AS status_run,
           lead(at) OVER (PARTITION BY subject ORDER BY at, seq) AS until
      FROM lives
     WHERE kind = 'user_deleted' OR births = 1 AND kind = 'user_created'
        OR births > 0 AND kind = 'user_changed'
    WINDOW w AS (PARTITION BY subject, life ORDER BY at, seq)
),
known AS (
    SELECT at, until, kind,
           max(role) OVER (PARTITION BY subject, life, role_run) AS role,
           max(status) OVER (PARTITION BY subject, life, status_run) AS status
      FROM heard
),
present AS (
    SELECT n, role, status, count(*) AS number
      FROM instants JOIN known ON at < before AND (until IS NULL OR until >= before)
     WHERE kind <> 'user_deleted'
     GROUP BY n, role, status
),
totals AS (SELECT n, CAST(sum(number) AS bigint) AS now FROM present GROUP BY n),
-- How many there were when the last thirty days began.
growth AS (
    SELECT totals.n, now, count(*) AS earlier
      FROM totals
      JOIN instants ON instants.n = totals.n
      JOIN known ON at < month AND (until IS NULL OR until >= month)
     WHERE kind <> 'user_deleted'
     GROUP BY totals.n, now
)
SELECT n, 'total_users' AS figure, now AS value FROM totals
UNION ALL
SELECT n, 'users_by_role ' || role, CAST(sum(number) AS bigint) FROM present GROUP BY n, role
UNION ALL
SELECT n, 'users_by_status ' || status, CAST(sum(number) AS bigint) FROM present GROUP BY n, status
UNION ALL
SELECT n, 'count of users ' || role || ' ' || status, number FROM present
UNION ALL
SELECT n, 'signups', count(*) FROM instants JOIN heard ON at >= start AND at < before
 WHERE kind = 'user_created' GROUP BY n
UNION ALL
SELECT n, 'count of signups ', count(*) FROM instants JOIN heard ON at < before
 WHERE kind = 'user_created' GROUP BY n
UNION ALL
SELECT n, 'recent_signups', count(*) FROM instants JOIN heard ON at >= week AND at < before
 WHERE kind = 'user_created' GROUP BY n
UNION ALL
-- In tenths of a percent. Users came in each of these months, so none of it is below zero.
SELECT n, 'growth of users', (2000 * (now - earlier) + earlier) / (2 * earlier) FROM growth
