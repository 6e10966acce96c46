ALTER TABLE meanings ALTER COLUMN body TYPE jsonb;
