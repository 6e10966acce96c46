-- A fact names what it is about, so that everything about it is found again: the user, subscription,
-- payment or commission. The start of a subscription also names the customer.
CREATE TABLE facts_with_subject (
    seq         INTEGER NOT NULL PRIMARY KEY,
    id          BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    occurred_at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    kind        TEXT    NOT NULL,
    body        TEXT    NOT NULL,
    subject     BLOB    NOT NULL CHECK (length(subject) = 16),
    owner       BLOB    CHECK (length(owner) = 16)
) STRICT;
INSERT INTO facts_with_subject
SELECT seq, id, occurred_at, recorded_at, kind, body,
       unhex(coalesce(body ->> 'user', body ->> 'subscription', body ->> 'payment', body ->> 'commission'), '-'),
       unhex(body ->> 'customer', '-')
  FROM facts ORDER BY seq;
DROP TABLE facts;
ALTER TABLE facts_with_subject RENAME TO facts;
CREATE INDEX facts_in_time ON facts (occurred_at, seq);
CREATE INDEX facts_by_subject ON facts (subject);
CREATE INDEX facts_by_owner ON facts (owner) WHERE owner IS NOT NULL;

-- `ledger`: the last fact that the ledger holds. `ledger_rebuilds`: how often it was made anew.
-- `restatements`: up to which fact it had noted what late facts moved when that happened.
INSERT INTO sequences (name, value) VALUES ('ledger', 0), ('ledger_rebuilds', 0), ('restatements', 0);

-- Append-only. The sum of the entries of an account's group dated up to an instant is its value at
-- that instant. A correction is a further entry. `seq` is the last fact of the write that posted it.
CREATE TABLE ledger_entries (
    seq     INTEGER NOT NULL,
    n       INTEGER NOT NULL,
    fact    BLOB    NOT NULL CHECK (length(fact) = 16),
    account TEXT    NOT NULL,
    grp     TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    count   INTEGER NOT NULL,
    amount  INTEGER NOT NULL,
    since   INTEGER,
    PRIMARY KEY (seq, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_entries_in_time ON ledger_entries (account, at, seq, n, grp, count, amount);

-- The entries summed by the hour they are dated in; `affiliates` is left out.
CREATE TABLE ledger_hours (
    account TEXT    NOT NULL,
    grp     TEXT    NOT NULL,
    hour    INTEGER NOT NULL,
    count   INTEGER NOT NULL,
    amount  INTEGER NOT NULL,
    PRIMARY KEY (account, grp, hour)
) STRICT, WITHOUT ROWID;

-- The entries summed, whatever their date.
CREATE TABLE ledger_counters (
    account TEXT    NOT NULL,
    grp     TEXT    NOT NULL,
    count   INTEGER NOT NULL,
    amount  INTEGER NOT NULL,
    PRIMARY KEY (account, grp)
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_counters_best ON ledger_counters (amount DESC, count DESC, grp) WHERE account = 'affiliates';

-- What a write moved in the past: from `since`, by so much, because of so many facts.
CREATE TABLE restatements (
    seq         INTEGER NOT NULL,
    account     TEXT    NOT NULL,
    grp         TEXT    NOT NULL,
    since       INTEGER NOT NULL,
    count       INTEGER NOT NULL,
    amount      INTEGER NOT NULL,
    fact_count  INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (seq, account, grp)
) STRICT, WITHOUT ROWID;
