-- What was earned, what is held, payable and paid, and whose it is.
WITH instants (n, start, week, before) AS (VALUES {{instants}}),
told AS (
    SELECT subject, occurred_at AS at, kind, CAST(body ->> 'amount' AS bigint) AS amount
      FROM facts
     WHERE kind IN ('commission_accrued', 'commission_reversed', 'commission_paid',
                    'commission_adjusted')
),
earned AS (
    SELECT subject, occurred_at AS at, body ->> 'affiliate' AS affiliate, body ->> 'tier' AS tier,
           CAST(body ->> 'amount' AS bigint) AS amount, {{payable_at}} AS payable_at
      FROM facts
     WHERE kind = 'commission_accrued'
),
sums AS (
    SELECT n, subject,
           coalesce(sum(CASE WHEN kind = 'commission_reversed' THEN amount END), 0) AS reversed,
           coalesce(sum(CASE WHEN kind = 'commission_adjusted' THEN amount END), 0) AS adjusted,
           coalesce(sum(CASE WHEN kind = 'commission_paid' THEN amount END), 0) AS paid
      FROM instants JOIN told ON at < before
     GROUP BY n, subject
),
standing AS (
    SELECT sums.n, affiliate, tier, paid, amount - reversed + adjusted AS net,
           CASE WHEN reversed > 0 AND reversed >= amount THEN 0 ELSE 1 END AS counted,
           CASE WHEN payable_at < before THEN 'payable' ELSE 'on_hold' END AS open
      FROM sums
      JOIN instants ON instants.n = sums.n
      JOIN earned ON earned.subject = sums.subject AND earned.at < before
),
affiliates AS (
    SELECT n, affiliate, sum(counted) AS number, sum(net) AS net,
           row_number() OVER (PARTITION BY n ORDER BY sum(net) DESC, sum(counted) DESC, affiliate)
             AS place
      FROM standing GROUP BY n, affiliate HAVING sum(net) > 0
),
flows AS (
    SELECT n, sum(CASE kind WHEN 'commission_paid' THEN 0 WHEN 'commission_reversed' THEN -amount
                            ELSE amount END) AS net
      FROM instants JOIN told ON at >= start AND at < before
     GROUP BY n
)
SELECT n, 'total_commissions' AS figure, CAST(sum(net) AS bigint) AS value FROM standing GROUP BY n
UNION ALL
SELECT n, 'total_transactions', CAST(sum(counted) AS bigint) FROM standing GROUP BY n
UNION ALL
SELECT n, 'commissions of tier ' || tier, CAST(sum(net) AS bigint) FROM standing GROUP BY n, tier
UNION ALL
SELECT n, 'commissions counted of tier ' || tier, CAST(sum(counted) AS bigint)
  FROM standing GROUP BY n, tier
UNION ALL
SELECT n, 'commissions_paid', CAST(sum(paid) AS bigint) FROM standing GROUP BY n
UNION ALL
SELECT n, 'commissions_' || open, CAST(sum(net - paid) AS bigint) FROM standing GROUP BY n, open
UNION ALL
SELECT n, 'commissions', CAST(net AS bigint) FROM flows
UNION ALL
SELECT n, 'place ' || place || ' is ' || affiliate, CAST(net AS bigint) FROM affiliates
 WHERE place <= {{places}}
UNION ALL
SELECT n, 'sales of place ' || place || ', ' || affiliate, CAST(number AS bigint) FROM affiliates
 WHERE place <= {{places}}
