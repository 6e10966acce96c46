-- A fact names what it is about, so that everything about it is found again: the user, subscription,
-- payment or commission. The start of a subscription also names the customer.
ALTER TABLE facts ADD COLUMN subject uuid, ADD COLUMN owner uuid;
UPDATE facts
   SET subject = coalesce(body ->> 'user', body ->> 'subscription', body ->> 'payment', body ->> 'commission')::uuid,
       owner = (body ->> 'customer')::uuid;
ALTER TABLE facts ALTER COLUMN subject SET NOT NULL;
CREATE INDEX facts_by_subject ON facts (subject, seq);
CREATE INDEX facts_by_owner ON facts (owner) WHERE owner IS NOT NULL;

-- `ledger`: the last fact that the ledger holds. `ledger_rebuilds`: how often it was made anew.
-- `restatements`: up to which fact it had noted what late facts moved when that happened.
INSERT INTO sequences (name, value) VALUES ('ledger', 0), ('ledger_rebuilds', 0), ('restatements', 0);

-- Append-only. The sum of the entries of an account's group dated up to an instant is its value at
-- that instant. A correction is a further entry. `seq` is the last fact of the write that posted it.
-- Groups are ordered byte by byte, as the program orders them.
CREATE TABLE ledger_entries (
    seq     bigint      NOT NULL,
    n       bigint      NOT NULL,
    fact    uuid        NOT NULL,
    account text        COLLATE "C" NOT NULL,
    grp     text        COLLATE "C" NOT NULL,
    at      timestamptz NOT NULL,
    count   bigint      NOT NULL,
    amount  bigint      NOT NULL,
    since   timestamptz,
    PRIMARY KEY (seq, n)
);
CREATE INDEX ledger_entries_in_time ON ledger_entries (account, at, seq, n) INCLUDE (grp, count, amount);

-- The entries summed by the hour they are dated in; `affiliates` is left out.
CREATE TABLE ledger_hours (
    account text        COLLATE "C" NOT NULL,
    grp     text        COLLATE "C" NOT NULL,
    hour    timestamptz NOT NULL,
    count   bigint      NOT NULL,
    amount  bigint      NOT NULL,
    PRIMARY KEY (account, grp, hour)
);

-- The entries summed, whatever their date.
CREATE TABLE ledger_counters (
    account text   COLLATE "C" NOT NULL,
    grp     text   COLLATE "C" NOT NULL,
    count   bigint NOT NULL,
    amount  bigint NOT NULL,
    PRIMARY KEY (account, grp)
);
CREATE INDEX ledger_counters_best ON ledger_counters (amount DESC, count DESC, grp) WHERE account = 'affiliates';

-- What a write moved in the past: from `since`, by so much, because of so many facts.
CREATE TABLE restatements (
    seq         bigint      NOT NULL,
    account     text        COLLATE "C" NOT NULL,
    grp         text        COLLATE "C" NOT NULL,
    since       timestamptz NOT NULL,
    count       bigint      NOT NULL,
    amount      bigint      NOT NULL,
    fact_count  bigint      NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (seq, account, grp)
);
