-- Subscriptions at each instant, and how the recurring revenue of customers moved before it.
WITH instants (n, start, week, before) AS (VALUES {{instants}}),
announced AS (
    SELECT subject, seq, {{ends_at}} AS ends_at,
           lead(occurred_at) OVER (PARTITION BY subject ORDER BY occurred_at, seq) AS told_again
      FROM facts
     WHERE kind = 'subscription_set_to_cancel'
),
told AS (
    SELECT subject, occurred_at AS at, seq, kind,
           body ->> 'customer' AS customer, body ->> 'tier' AS tier, body ->> 'status' AS status,
           CAST(body ->> 'price' AS bigint) AS price,
           CAST(body ->> 'quantity' AS bigint) AS quantity,
           body -> 'interval' ->> 'unit' AS unit,
           CAST(body -> 'interval' ->> 'count' AS bigint) AS every
      FROM facts
     WHERE kind IN ('subscription_started', 'subscription_changed', 'subscription_ended')
    UNION ALL
    SELECT subject, ends_at, seq, 'subscription_ended', NULL, NULL, NULL, NULL, NULL, NULL, NULL
      FROM announced
     WHERE ends_at IS NOT NULL AND (told_again IS NULL OR told_again > ends_at)
),
-- What is told starts a run in which it stays.
runs AS (
    SELECT told.*, lead(at) OVER w AS until,
           count(CASE WHEN kind = 'subscription_ended' THEN 1 END) OVER w AS ends,
           count(tier) OVER w AS tier_run, count(status) OVER w AS status_run,
           count(price) OVER w AS price_run, count(quantity) OVER w AS quantity_run,
           count(unit) OVER w AS interval_run
      FROM told
    WINDOW w AS (PARTITION BY subject ORDER BY at, seq)
),
known AS (
    SELECT subject, at, seq, until, ends,
           max(customer) OVER (PARTITION BY subject) AS customer,
           max(tier) OVER (PARTITION BY subject, tier_run) AS tier,
           max(status) OVER (PARTITION BY subject, status_run) AS status,
           max(price) OVER (PARTITION BY subject, price_run) AS price,
           max(quantity) OVER (PARTITION BY subject, quantity_run) AS quantity,
           max(unit) OVER (PARTITION BY subject, interval_run) AS unit,
           max(every) OVER (PARTITION BY subject, interval_run) AS every
      FROM runs
),
-- A year of each, from `at` until `until`. The invented prices are due in ways that divide the year.
years AS (
    SELECT subject, at, seq, until, customer, tier, status,
           CASE WHEN ends > 0 THEN 0
                ELSE price * quantity * CASE unit WHEN 'day' THEN 365 WHEN 'week' THEN 52
                                                  WHEN 'month' THEN 12 ELSE 1 END / every
           END AS annual
      FROM known
),
standing AS (
    SELECT n, tier, status, count(*) AS number, CAST(sum(annual) AS bigint) AS annual
      FROM instants JOIN years ON at < before AND (until IS NULL OR until >= before)
     WHERE annual > 0
     GROUP BY n, tier, status
),
recurring AS (
    SELECT customer, subject, at, seq,
           CASE WHEN status IN ('active', 'past_due') THEN annual ELSE 0 END AS annual
      FROM years
),
steps AS (
    SELECT customer, at,
           annual - lag(annual, 1, CAST(0 AS bigint)) OVER (PARTITION BY subject ORDER BY at, seq)
             AS change
      FROM recurring
),
changes AS (
    SELECT customer, at, CAST(sum(change) AS bigint) AS change
      FROM steps GROUP BY customer, at HAVING sum(change) <> 0
),
totals AS (
    SELECT customer, at, change,
           CAST(sum(change) OVER (PARTITION BY customer ORDER BY at) AS bigint) AS total
      FROM changes
),
moves AS (
    SELECT at, change, total, lead(at) OVER w AS until,
           max(CASE WHEN total = change THEN at END) OVER w AS since,
           CASE WHEN total = change AND row_number() OVER w = 1 THEN 'mrr_new'
                WHEN total = change THEN 'mrr_reactivation'
                WHEN total = 0 THEN 'mrr_churn'
                WHEN change > 0 THEN 'mrr_expansion'
                ELSE 'mrr_contraction' END AS kind
      FROM totals
    WINDOW w AS (PARTITION BY customer ORDER BY at)
)
SELECT n, 'active_subscriptions' AS figure, CAST(sum(number) AS bigint) AS value FROM standing
 WHERE status IN ('active', 'past_due') GROUP BY n
UNION ALL
SELECT n, 'active of tier ' || tier, CAST(sum(number) AS bigint) FROM standing
 WHERE status IN ('active', 'past_due') GROUP BY n, tier
UNION ALL
SELECT n, 'mrr of tier ' || tier, (CAST(sum(annual) AS bigint) + 6) / 12 FROM standing
 WHERE status IN ('active', 'past_due') GROUP BY n, tier
UNION ALL
SELECT n, 'arr', CAST(sum(annual) AS bigint) FROM standing
 WHERE status IN ('active', 'past_due') GROUP BY n
UNION ALL
SELECT n, 'mrr', CAST(sum(annual) AS bigint) / 12 FROM standing
 WHERE status IN ('active', 'past_due') GROUP BY n
UNION ALL
SELECT n, CASE status WHEN 'trialing' THEN 'trial_mrr' ELSE status || '_mrr' END,
       CAST(sum(annual) AS bigint) / 12
  FROM standing WHERE status IN ('trialing', 'paused', 'past_due') GROUP BY n, status
UNION ALL
SELECT n, 'customers', count(*)
  FROM instants JOIN moves ON at < before AND (until IS NULL OR until >= before)
 WHERE total > 0 GROUP BY n
UNION ALL
SELECT n, kind, CAST(sum(abs(change)) AS bigint) / 12
  FROM instants JOIN moves ON at >= start AND at < before
 GROUP BY n, kind
UNION ALL
SELECT n, 'churned of those at the start', count(*)
  FROM instants JOIN moves ON at >= start AND at < before
 WHERE kind = 'mrr_churn' AND since < start GROUP BY n
