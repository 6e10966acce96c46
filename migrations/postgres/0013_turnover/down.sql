DELETE FROM sequences WHERE name IN ('ledger_turnover', 'ledger_anew_turnover');
