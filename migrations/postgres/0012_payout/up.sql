-- Commissions by whose they are: a payout goes from one affiliate to the next. Names are ordered byte by
-- byte, as the program orders them.
CREATE INDEX facts_by_affiliate ON facts (((body ->> 'affiliate') COLLATE "C"), subject, seq)
 WHERE kind = 'commission_accrued';
