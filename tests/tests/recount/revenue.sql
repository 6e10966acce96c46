-- What was captured, less what went back, plus what was won back, each on its own date.
WITH instants (n, start, week, month, earlier, before) AS (VALUES {{instants}}),
captures AS (
    SELECT subject, seq, occurred_at AS at,
           body -> 'product' ->> 'subscription' AS tier,
           row_number() OVER (PARTITION BY subject ORDER BY occurred_at, seq) AS nth
      FROM facts
     WHERE kind = 'payment_captured'
),
-- A payment is captured once. What moved before that counts when it is.
moved AS (
    SELECT CASE WHEN fact.occurred_at < capture.at THEN capture.at ELSE fact.occurred_at END AS at,
           tier,
           CASE fact.kind WHEN 'payment_captured' THEN 'captured'
                          WHEN 'payment_refunded' THEN 'refunded'
                          WHEN 'payment_disputed' THEN 'disputed' ELSE 'won' END AS way,
           CASE WHEN fact.kind IN ('payment_captured', 'dispute_won') THEN 1 ELSE -1 END
             * CAST(fact.body ->> 'amount' AS bigint) AS amount
      FROM captures capture JOIN facts fact ON fact.subject = capture.subject
     WHERE nth = 1
       AND (fact.seq = capture.seq
            OR fact.kind IN ('payment_refunded', 'payment_disputed', 'dispute_won'))
),
sums AS (
    SELECT n, tier, way, count(*) AS number, CAST(sum(amount) AS bigint) AS ever,
           CAST(coalesce(sum(CASE WHEN at >= start THEN amount END), 0) AS bigint) AS lately,
           CAST(coalesce(sum(CASE WHEN at >= month THEN amount END), 0) AS bigint) AS month,
           CAST(coalesce(sum(CASE WHEN at >= earlier AND at < month THEN amount END), 0) AS bigint)
             AS month_before
      FROM instants JOIN moved ON at < before
     GROUP BY n, tier, way
),
growth AS (
    SELECT n, 1000 * (sum(month) - sum(month_before)) AS more, sum(month_before) AS base
      FROM sums GROUP BY n HAVING sum(month_before) > 0
)
SELECT n, 'total_revenue' AS figure, CAST(sum(ever) AS bigint) AS value FROM sums GROUP BY n
UNION ALL
SELECT n, 'revenue', CAST(sum(lately) AS bigint) FROM sums GROUP BY n
UNION ALL
SELECT n, 'subscription_revenue', CAST(sum(lately) AS bigint) FROM sums
 WHERE tier IS NOT NULL GROUP BY n
UNION ALL
SELECT n, 'tripwire_revenue', CAST(sum(lately) AS bigint) FROM sums WHERE tier IS NULL GROUP BY n
UNION ALL
SELECT n, 'revenue of tier ' || tier, CAST(sum(ever) AS bigint) FROM sums
 WHERE tier IS NOT NULL GROUP BY n, tier
UNION ALL
SELECT n, 'count of revenue ' || coalesce('subscription ' || tier, 'tripwire tripwire') || ' ' || way,
       number
  FROM sums
UNION ALL
SELECT n, 'amount of revenue ' || coalesce('subscription ' || tier, 'tripwire tripwire') || ' ' || way,
       ever
  FROM sums
UNION ALL
-- In tenths of a percent, half away from zero.
SELECT n, 'growth of revenue',
       CAST(CASE WHEN more < 0 THEN -1 ELSE 1 END AS bigint)
         * (CAST(2 * abs(more) + base AS bigint) / CAST(2 * base AS bigint))
  FROM growth
