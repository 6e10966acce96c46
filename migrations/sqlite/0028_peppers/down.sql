-- What stands under a pepper stays, and is found again by a program that has the pepper.
ALTER TABLE api_key_secrets DROP COLUMN pepper;
