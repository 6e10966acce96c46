-- Some senders cannot sign. A source of theirs takes what comes with its own key as it is.
ALTER TABLE webhook_sources ADD COLUMN unsigned boolean NOT NULL DEFAULT false;
