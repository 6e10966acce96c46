DROP INDEX facts_by_affiliate;
