-- What was captured and earned more than a minute before it was recorded: the past that it moved.
WITH beginnings AS (
    SELECT kind, occurred_at AS at, recorded_at, CAST(body ->> 'amount' AS bigint) AS amount,
           CASE WHEN kind = 'commission_accrued' THEN 'accruals ' || (body ->> 'tier')
                ELSE 'revenue '
                  || coalesce('subscription ' || (body -> 'product' ->> 'subscription'),
                              'tripwire tripwire')
                  || ' captured' END AS place,
           -- Told again under another number it moves nothing.
           row_number() OVER (PARTITION BY subject ORDER BY occurred_at, seq) AS nth
      FROM facts
     WHERE kind IN ('payment_captured', 'commission_accrued')
),
late AS (
    SELECT place, amount FROM beginnings WHERE nth = 1 AND at < recorded_at - {{minute}}
)
SELECT 0 AS n, 'facts that restate ' || place AS figure, count(*) AS value FROM late GROUP BY place
UNION ALL
SELECT 0, 'restated amount of ' || place, CAST(sum(amount) AS bigint) FROM late GROUP BY place
