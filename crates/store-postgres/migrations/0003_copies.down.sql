DO $$
BEGIN
    IF EXISTS (SELECT FROM copy_progress) THEN
        RAISE EXCEPTION 'a copy into this database is not done';
    END IF;
END $$;
DROP TABLE copy_progress;
