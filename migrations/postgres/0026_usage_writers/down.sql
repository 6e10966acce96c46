DROP TABLE usage_writers;
