-- A second set of the ledger's tables. Making the ledger anew fills it beside the first, and then the
-- two change places: what is read and written meanwhile is the ledger as it was.
CREATE TABLE ledger_entries_anew (
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
CREATE INDEX ledger_entries_anew_in_time ON ledger_entries_anew (account, at, seq, n, grp, count, amount);

CREATE TABLE ledger_hours_anew (
    account TEXT    NOT NULL,
    grp     TEXT    NOT NULL,
    hour    INTEGER NOT NULL,
    count   INTEGER NOT NULL,
    amount  INTEGER NOT NULL,
    PRIMARY KEY (account, grp, hour)
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger_counters_anew (
    account TEXT    NOT NULL,
    grp     TEXT    NOT NULL,
    count   INTEGER NOT NULL,
    amount  INTEGER NOT NULL,
    PRIMARY KEY (account, grp)
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_counters_anew_best ON ledger_counters_anew (amount DESC, count DESC, grp) WHERE account = 'affiliates';

-- The last fact in the second set; -1 when it is not in use.
INSERT INTO sequences (name, value) VALUES ('ledger_anew', -1);

-- What late facts moved is noted once, whatever becomes of the ledger: nothing needs to be remembered for it.
DELETE FROM sequences WHERE name = 'restatements';
