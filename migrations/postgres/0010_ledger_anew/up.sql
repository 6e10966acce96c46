-- A second set of the ledger's tables. Making the ledger anew fills it beside the first, and then the
-- two change places: what is read and written meanwhile is the ledger as it was.
CREATE TABLE ledger_entries_anew (LIKE ledger_entries INCLUDING ALL);
CREATE TABLE ledger_hours_anew (LIKE ledger_hours INCLUDING ALL);
CREATE TABLE ledger_counters_anew (LIKE ledger_counters INCLUDING ALL);

-- The last fact in the second set; -1 when it is not in use.
INSERT INTO sequences (name, value) VALUES ('ledger_anew', -1);

-- What late facts moved is noted once, whatever becomes of the ledger: nothing needs to be remembered for it.
DELETE FROM sequences WHERE name = 'restatements';
