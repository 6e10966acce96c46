DROP INDEX ledger_entries_anew_churn;
DROP INDEX ledger_entries_churn;
