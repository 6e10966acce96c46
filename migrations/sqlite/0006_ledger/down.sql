DROP TABLE restatements;
DROP TABLE ledger_counters;
DROP TABLE ledger_hours;
DROP TABLE ledger_entries;
DELETE FROM sequences WHERE name IN ('ledger', 'ledger_rebuilds', 'restatements');
DROP INDEX facts_by_owner;
DROP INDEX facts_by_subject;
ALTER TABLE facts DROP COLUMN owner;
ALTER TABLE facts DROP COLUMN subject;
