-- What all entries ever posted move together, whichever way: no sum of any of them can be larger, so none is
-- as long as this fits. And the same of the second set while it is filled.
INSERT INTO sequences (name, value)
SELECT 'ledger_turnover', coalesce(sum(abs(amount)), 0) FROM ledger_entries
UNION ALL SELECT 'ledger_anew_turnover', 0;
