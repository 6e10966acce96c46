DROP TABLE facts;
DELETE FROM sequences WHERE name = 'facts';
