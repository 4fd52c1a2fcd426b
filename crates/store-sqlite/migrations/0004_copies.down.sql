CREATE TABLE half_copied (
    notes INTEGER,
    CONSTRAINT a_copy_into_this_database_is_not_done CHECK (notes = 0)
) STRICT;
INSERT INTO half_copied (notes) SELECT count(*) FROM copy_progress;
DROP TABLE half_copied;
DROP TABLE copy_progress;
DELETE FROM lanes WHERE seq = 0 AND last_at = 0;
CREATE TABLE server_secrets_old (
    name TEXT NOT NULL CONSTRAINT server_secrets_pk PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;
INSERT INTO server_secrets_old (name, value) SELECT name, value FROM server_secrets;
DROP TABLE server_secrets;
ALTER TABLE server_secrets_old RENAME TO server_secrets;
ALTER TABLE idempotency_answers DROP COLUMN tenant_id;
