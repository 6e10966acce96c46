-- Commissions by whose they are: a payout goes from one affiliate to the next.
CREATE INDEX facts_by_affiliate ON facts (body ->> 'affiliate', subject, seq)
 WHERE kind = 'commission_accrued';
