-- What a write added and what it took away are told apart, and the last date that it moved: a change that only moved
-- its date sums up to nothing. Of those before, only what was left of both is known.
ALTER TABLE restatements ADD COLUMN until INTEGER NOT NULL DEFAULT 0;
ALTER TABLE restatements ADD COLUMN gained_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE restatements ADD COLUMN gained_amount INTEGER NOT NULL DEFAULT 0;
UPDATE restatements SET until = since, gained_count = max(count, 0), gained_amount = max(amount, 0);
