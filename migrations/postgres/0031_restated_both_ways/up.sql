-- What a write added and what it took away are told apart, and the last date that it moved: a change that only moved
-- its date sums up to nothing. Nothing stands in the rows of before, nor in those that an older server still writes;
-- of these only what was left of both is known.
ALTER TABLE restatements ADD COLUMN until timestamptz;
ALTER TABLE restatements ADD COLUMN gained_count bigint;
ALTER TABLE restatements ADD COLUMN gained_amount bigint;
