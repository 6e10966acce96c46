ALTER TABLE restatements DROP COLUMN gained_amount;
ALTER TABLE restatements DROP COLUMN gained_count;
ALTER TABLE restatements DROP COLUMN until;
