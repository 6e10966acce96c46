DROP TABLE activity_log;
DROP TABLE settings;
