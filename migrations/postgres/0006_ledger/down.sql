DROP TABLE restatements;
DROP TABLE ledger_counters;
DROP TABLE ledger_hours;
DROP TABLE ledger_entries;
DELETE FROM sequences WHERE name IN ('ledger', 'ledger_rebuilds', 'restatements');
ALTER TABLE facts DROP COLUMN owner, DROP COLUMN subject;
