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
