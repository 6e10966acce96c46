-- Subscriptions at each instant, and how the recurring revenue of customers moved before it.
WITH RECURSIVE instants (n, start, week, month, earlier, before) AS (VALUES {{instants}}),
told AS MATERIALIZED (
    SELECT subject, occurred_at AS at, kind,
           row_number() OVER (PARTITION BY subject ORDER BY occurred_at, seq) AS nth,
           body ->> 'customer' AS customer, body ->> 'tier' AS tier, body ->> 'status' AS status,
           CAST(body ->> 'price' AS bigint) AS price,
           CAST(body ->> 'quantity' AS bigint) AS quantity,
           body -> 'interval' ->> 'unit' AS unit,
           CAST(body -> 'interval' ->> 'count' AS bigint) AS every,
           {{ends_at}} AS ends_at
      FROM facts
     WHERE kind IN ('subscription_started', 'subscription_changed', 'subscription_set_to_cancel',
                    'subscription_ended')
),
-- What each fact leaves behind; whatever ends by now is over, and before its start it is that too.
-- A start of what is not over is none. What is not told stays.
states AS (
    SELECT subject, nth, at, customer, tier, status, price, quantity, unit, every,
           CASE WHEN kind <> 'subscription_started' THEN at END AS ends_at
      FROM told WHERE nth = 1
    UNION ALL
    SELECT told.subject, told.nth, told.at,
           CASE WHEN kind <> 'subscription_started' OR was.ends_at <= told.at
                THEN coalesce(told.customer, was.customer) ELSE was.customer END,
           CASE WHEN kind <> 'subscription_started' OR was.ends_at <= told.at
                THEN coalesce(told.tier, was.tier) ELSE was.tier END,
           CASE WHEN kind <> 'subscription_started' OR was.ends_at <= told.at
                THEN coalesce(told.status, was.status) ELSE was.status END,
           CASE WHEN kind <> 'subscription_started' OR was.ends_at <= told.at
                THEN coalesce(told.price, was.price) ELSE was.price END,
           CASE WHEN kind <> 'subscription_started' OR was.ends_at <= told.at
                THEN coalesce(told.quantity, was.quantity) ELSE was.quantity END,
           CASE WHEN kind <> 'subscription_started' OR was.ends_at <= told.at
                THEN coalesce(told.unit, was.unit) ELSE was.unit END,
           CASE WHEN kind <> 'subscription_started' OR was.ends_at <= told.at
                THEN coalesce(told.every, was.every) ELSE was.every END,
           CASE WHEN was.ends_at <= told.at AND kind = 'subscription_started' THEN NULL
                WHEN was.ends_at <= told.at THEN was.ends_at
                WHEN kind = 'subscription_ended' THEN told.at
                WHEN kind = 'subscription_set_to_cancel' THEN told.ends_at
                ELSE was.ends_at END
      FROM states was JOIN told ON told.subject = was.subject AND told.nth = was.nth + 1
),
followed AS (
    SELECT states.*, lead(at) OVER (PARTITION BY subject ORDER BY nth) AS told_again FROM states
),
-- A year of each, from `at` until `until`, rounded where its interval does not divide the year.
years AS MATERIALIZED (
    SELECT subject, at, customer, tier, status,
           CASE WHEN told_again IS NULL OR ends_at < told_again THEN ends_at ELSE told_again END
             AS until,
           (2 * price * quantity * CASE unit WHEN 'day' THEN 365 WHEN 'week' THEN 52
                                             WHEN 'month' THEN 12 ELSE 1 END + every) / (2 * every)
             AS annual
      FROM followed
     WHERE (ends_at IS NULL OR ends_at > at) AND price > 0 AND quantity > 0
),
standing AS (
    SELECT n, tier, status, count(*) AS number, CAST(sum(annual) AS bigint) AS annual
      FROM instants JOIN years ON at < before AND (until IS NULL OR until >= before)
     GROUP BY n, tier, status
),
steps AS (
    SELECT customer, at, annual AS change FROM years WHERE status IN ('active', 'past_due')
    UNION ALL
    SELECT customer, until, -annual FROM years
     WHERE status IN ('active', 'past_due') AND until IS NOT NULL
),
-- What happens to a customer at one instant is one change.
changes AS (
    SELECT customer, at, CAST(sum(change) AS bigint) AS change
      FROM steps GROUP BY customer, at HAVING sum(change) <> 0
),
totals AS (
    SELECT customer, at, change,
           CAST(sum(change) OVER (PARTITION BY customer ORDER BY at) AS bigint) AS total
      FROM changes
),
moves AS MATERIALIZED (
    SELECT at, change, total, lead(at) OVER w AS until,
           max(CASE WHEN total = change THEN at END) OVER w AS since,
           CASE WHEN total = change AND row_number() OVER w = 1 THEN 'new'
                WHEN total = change THEN 'reactivation'
                WHEN total = 0 THEN 'churn'
                WHEN change > 0 THEN 'expansion'
                ELSE 'contraction' END AS kind
      FROM totals
    WINDOW w AS (PARTITION BY customer ORDER BY at)
),
ever AS (
    SELECT n, kind, count(*) AS number, CAST(sum(change) AS bigint) AS annual
      FROM instants JOIN moves ON at < before GROUP BY n, kind
),
flows AS (
    SELECT n, kind, CAST(sum(abs(change)) AS bigint) AS annual
      FROM instants JOIN moves ON at >= start AND at < before GROUP BY n, kind
),
churned AS (
    SELECT n, count(*) AS number
      FROM instants JOIN moves ON at >= start AND at < before
     WHERE kind = 'churn' AND since < start GROUP BY n
),
-- Customers and their years at the start and at the end of each period.
opening AS (
    SELECT n, count(*) AS number, CAST(sum(total) AS bigint) AS annual
      FROM instants JOIN moves ON at < start AND (until IS NULL OR until >= start)
     WHERE total > 0 GROUP BY n
),
closing AS (
    SELECT n, count(*) AS number, CAST(sum(total) AS bigint) AS annual
      FROM instants JOIN moves ON at < before AND (until IS NULL OR until >= before)
     WHERE total > 0 GROUP BY n
),
periods AS (
    SELECT closing.n, closing.annual, closing.number,
           coalesce(opening.annual, 0) AS open_annual, coalesce(opening.number, 0) AS open_number,
           coalesce((SELECT number FROM churned WHERE churned.n = closing.n), 0) AS churned,
           coalesce((SELECT annual FROM flows WHERE flows.n = closing.n AND kind = 'churn'), 0)
             AS churn,
           coalesce((SELECT annual FROM flows WHERE flows.n = closing.n AND kind = 'contraction'), 0)
             AS contraction,
           coalesce((SELECT annual FROM flows WHERE flows.n = closing.n AND kind = 'expansion'), 0)
             AS expansion,
           coalesce((SELECT annual FROM flows WHERE flows.n = closing.n AND kind = 'reactivation'), 0)
             AS reactivation
      FROM closing LEFT JOIN opening ON opening.n = closing.n
),
-- Per cent in hundredths, money in cents.
rates (n, figure, part, whole) AS (
    SELECT n, 'gross_mrr_churn', 10000 * (churn + contraction), open_annual FROM periods
    UNION ALL
    SELECT n, 'net_mrr_churn', 10000 * (churn + contraction - expansion - reactivation), open_annual
      FROM periods
    UNION ALL
    SELECT n, 'nrr', 10000 * (open_annual + expansion - contraction - churn), open_annual
      FROM periods
    UNION ALL
    SELECT n, 'grr', 10000 * (open_annual - contraction - churn), open_annual FROM periods
    UNION ALL
    SELECT n, 'customer_churn', 10000 * churned, open_number FROM periods
    UNION ALL
    SELECT n, 'arpu', annual, 12 * number FROM periods
    UNION ALL
    SELECT n, 'ltv', annual * open_number, 12 * number * churned FROM periods
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
SELECT n, 'mrr', (CAST(sum(annual) AS bigint) + 6) / 12 FROM standing
 WHERE status IN ('active', 'past_due') GROUP BY n
UNION ALL
SELECT n, CASE status WHEN 'trialing' THEN 'trial_mrr' ELSE status || '_mrr' END,
       (CAST(sum(annual) AS bigint) + 6) / 12
  FROM standing WHERE status IN ('trialing', 'paused', 'past_due') GROUP BY n, status
UNION ALL
SELECT n, 'count of subscriptions ' || tier || ' ' || status, number FROM standing
UNION ALL
SELECT n, 'amount of subscriptions ' || tier || ' ' || status, annual FROM standing
UNION ALL
SELECT n, 'customers', number FROM closing
UNION ALL
SELECT n, 'count of movements ' || kind, number FROM ever
UNION ALL
SELECT n, 'amount of movements ' || kind, annual FROM ever
UNION ALL
SELECT n, 'mrr_' || kind, (annual + 6) / 12 FROM flows
UNION ALL
SELECT n, 'churned of those at the start', number FROM churned
UNION ALL
-- Half away from zero.
SELECT n, figure, CASE WHEN part < 0 THEN -1 ELSE 1 END * ((2 * abs(part) + whole) / (2 * whole))
  FROM rates WHERE whole > 0
