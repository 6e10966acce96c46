DROP TABLE meanings;
