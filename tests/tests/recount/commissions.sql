-- What was earned, what is held, payable and paid, and whose it is.
WITH instants (n, start, week, month, earlier, before) AS (VALUES {{instants}}),
accruals AS (
    SELECT subject, seq, occurred_at AS at, body ->> 'affiliate' AS affiliate,
           body ->> 'tier' AS tier, CAST(body ->> 'amount' AS bigint) AS amount,
           {{payable_at}} AS payable_at,
           row_number() OVER (PARTITION BY subject ORDER BY occurred_at, seq) AS nth
      FROM facts
     WHERE kind = 'commission_accrued'
),
-- A commission is earned once.
earned AS (
    SELECT * FROM accruals WHERE nth = 1
),
-- What was said about it before counts when it is earned.
told AS (
    SELECT CASE WHEN fact.occurred_at < earned.at THEN earned.at ELSE fact.occurred_at END AS at,
           fact.subject, kind, CAST(body ->> 'amount' AS bigint) AS amount
      FROM earned JOIN facts fact ON fact.subject = earned.subject
     WHERE fact.seq = earned.seq
        OR kind IN ('commission_reversed', 'commission_paid', 'commission_adjusted')
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
    SELECT sums.n, affiliate, tier, amount, paid, amount - reversed + adjusted AS net,
           CASE WHEN payable_at < before THEN 'payable' ELSE 'on_hold' END AS open,
           CASE WHEN reversed > 0 AND reversed >= amount THEN 'reversed'
                WHEN paid > 0 AND paid >= amount - reversed + adjusted THEN 'paid'
                WHEN payable_at < before THEN 'payable' ELSE 'on_hold' END AS state
      FROM sums
      JOIN instants ON instants.n = sums.n
      JOIN earned ON earned.subject = sums.subject
),
money AS (
    SELECT n, tier, 'paid' AS state, CAST(sum(paid) AS bigint) AS amount
      FROM standing GROUP BY n, tier
    UNION ALL
    SELECT n, tier, open, CAST(sum(net - paid) AS bigint) FROM standing GROUP BY n, tier, open
),
affiliates AS (
    SELECT n, affiliate, count(CASE WHEN state <> 'reversed' THEN 1 END) AS number,
           sum(net) AS net
      FROM standing GROUP BY n, affiliate HAVING sum(net) > 0
),
places AS (
    SELECT n, affiliate, number, CAST(net AS bigint) AS net,
           row_number() OVER (PARTITION BY n ORDER BY net DESC, number DESC, affiliate) AS place
      FROM affiliates
),
flows AS (
    SELECT n, sum(CASE kind WHEN 'commission_paid' THEN 0 WHEN 'commission_reversed' THEN -amount
                            ELSE amount END) AS net
      FROM instants JOIN told ON at >= start AND at < before
     GROUP BY n
)
SELECT n, 'total_commissions' AS figure, CAST(sum(net) AS bigint) AS value FROM standing GROUP BY n
UNION ALL
SELECT n, 'total_transactions', count(*) FROM standing WHERE state <> 'reversed' GROUP BY n
UNION ALL
SELECT n, 'commissions of tier ' || tier, CAST(sum(net) AS bigint) FROM standing GROUP BY n, tier
UNION ALL
SELECT n, 'commissions counted of tier ' || tier, count(*) FROM standing
 WHERE state <> 'reversed' GROUP BY n, tier
UNION ALL
SELECT n, 'commissions_' || state, CAST(sum(amount) AS bigint) FROM money GROUP BY n, state
UNION ALL
SELECT n, 'count of commissions ' || tier || ' ' || state, count(*) FROM standing
 GROUP BY n, tier, state
UNION ALL
SELECT n, 'amount of commissions ' || tier || ' ' || state, amount FROM money
UNION ALL
SELECT n, 'count of accruals ' || tier, count(*) FROM standing GROUP BY n, tier
UNION ALL
SELECT n, 'amount of accruals ' || tier, CAST(sum(amount) AS bigint) FROM standing GROUP BY n, tier
UNION ALL
SELECT n, 'commissions', CAST(net AS bigint) FROM flows
UNION ALL
SELECT n, 'place ' || place || ' is ' || affiliate, net FROM places WHERE place <= {{places}}
UNION ALL
SELECT n, 'sales of place ' || place || ', ' || affiliate, number FROM places
 WHERE place <= {{places}}
