-- Only churn says since when: who churned within a span and was there at its start is counted from this alone.
CREATE INDEX ledger_entries_churn ON ledger_entries (at, since) INCLUDE (count) WHERE since IS NOT NULL;
CREATE INDEX ledger_entries_anew_churn ON ledger_entries_anew (at, since) INCLUDE (count) WHERE since IS NOT NULL;
