-- What was captured, less what went back, plus what was won back, each on its own date.
WITH instants (n, start, week, before) AS (VALUES {{instants}}),
moved AS (
    SELECT moved.occurred_at AS at,
           capture.body -> 'product' ->> 'subscription' AS tier,
           CASE WHEN moved.kind IN ('payment_captured', 'dispute_won') THEN 1 ELSE -1 END
             * CAST(moved.body ->> 'amount' AS bigint) AS amount
      FROM facts capture JOIN facts moved ON moved.subject = capture.subject
     WHERE capture.kind = 'payment_captured'
       AND moved.kind IN ('payment_captured', 'payment_refunded', 'payment_disputed', 'dispute_won')
),
sums AS (
    SELECT n, tier, CAST(sum(amount) AS bigint) AS ever,
           CAST(coalesce(sum(CASE WHEN at >= start THEN amount END), 0) AS bigint) AS lately
      FROM instants JOIN moved ON at < before
     GROUP BY n, tier
)
SELECT n, 'total_revenue' AS figure, CAST(sum(ever) AS bigint) AS value FROM sums GROUP BY n
UNION ALL
SELECT n, 'revenue', CAST(sum(lately) AS bigint) FROM sums GROUP BY n
UNION ALL
SELECT n, 'subscription_revenue', CAST(sum(lately) AS bigint) FROM sums
 WHERE tier IS NOT NULL GROUP BY n
UNION ALL
SELECT n, 'tripwire_revenue', lately FROM sums WHERE tier IS NULL
UNION ALL
SELECT n, 'revenue of tier ' || tier, ever FROM sums WHERE tier IS NOT NULL
