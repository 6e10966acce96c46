INSERT INTO sequences (name, value) VALUES ('restatements', 0);
DELETE FROM sequences WHERE name = 'ledger_anew';
DROP TABLE ledger_counters_anew;
DROP TABLE ledger_hours_anew;
DROP TABLE ledger_entries_anew;
