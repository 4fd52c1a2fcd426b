-- Whose an answer is. Those that were given before this step do not say it.
ALTER TABLE idempotency_answers ADD COLUMN tenant_id TEXT;

-- A secret stands under the platform's id, like everything else of the platform.
CREATE TABLE server_secrets_new (
    tenant_id TEXT NOT NULL,
    name TEXT NOT NULL,
    value BLOB NOT NULL,
    CONSTRAINT server_secrets_pk PRIMARY KEY (tenant_id, name)
) STRICT;
INSERT INTO server_secrets_new (tenant_id, name, value)
SELECT '00000000-0000-0000-0000-000000000000', name, value FROM server_secrets;
DROP TABLE server_secrets;
ALTER TABLE server_secrets_new RENAME TO server_secrets;

-- A lane begins with its tenant.
INSERT INTO lanes (tenant_id, seq, last_at, next_order_number)
SELECT tenant_id, 0, 0, 1001 FROM tenants
UNION SELECT '00000000-0000-0000-0000-000000000000', 0, 0, 1001
ON CONFLICT DO NOTHING;

-- How far a copy into this database has come; empty when none is under way.
CREATE TABLE copy_progress (
    tenant_id TEXT NOT NULL,
    part TEXT NOT NULL,
    copied INTEGER NOT NULL,
    source TEXT NOT NULL,
    CONSTRAINT copy_progress_pk PRIMARY KEY (tenant_id, part)
) STRICT;
