-- Users by role and status at each instant, and signups.
WITH instants (n, start, week, before) AS (VALUES {{instants}}),
told AS (
    SELECT subject, occurred_at AS at, kind, body ->> 'role' AS role, body ->> 'status' AS status,
           -- A role that is told starts a run in which it stays; so does a status.
           count(body ->> 'role') OVER w AS role_run,
           count(body ->> 'status') OVER w AS status_run,
           lead(occurred_at) OVER w AS until
      FROM facts
     WHERE kind IN ('user_created', 'user_changed', 'user_deleted')
    WINDOW w AS (PARTITION BY subject ORDER BY occurred_at, seq)
),
known AS (
    SELECT at, until, kind,
           max(role) OVER (PARTITION BY subject, role_run) AS role,
           max(status) OVER (PARTITION BY subject, status_run) AS status
      FROM told
),
present AS (
    SELECT n, role, status
      FROM instants JOIN known ON at < before AND (until IS NULL OR until >= before)
     WHERE kind <> 'user_deleted'
)
SELECT n, 'total_users' AS figure, count(*) AS value FROM present GROUP BY n
UNION ALL
SELECT n, 'users_by_role ' || role, count(*) FROM present GROUP BY n, role
UNION ALL
SELECT n, 'users_by_status ' || status, count(*) FROM present GROUP BY n, status
UNION ALL
SELECT n, 'signups', count(*) FROM instants JOIN told ON at >= start AND at < before
 WHERE kind = 'user_created' GROUP BY n
UNION ALL
SELECT n, 'recent_signups', count(*) FROM instants JOIN told ON at >= week AND at < before
 WHERE kind = 'user_created' GROUP BY n
