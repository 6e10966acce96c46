-- What an event says is read as a whole and never looked into by the database, so taking it apart into jsonb for
-- every event is for nothing.
ALTER TABLE meanings ALTER COLUMN body TYPE json;
