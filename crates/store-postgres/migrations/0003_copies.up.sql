-- How far a copy into this database has come; empty when none is under way.
CREATE TABLE copy_progress (
    tenant_id UUID NOT NULL,
    part TEXT NOT NULL,
    copied BIGINT NOT NULL,
    source TEXT NOT NULL,
    CONSTRAINT copy_progress_pk PRIMARY KEY (tenant_id, part)
);
ALTER TABLE copy_progress ENABLE ROW LEVEL SECURITY;
ALTER TABLE copy_progress FORCE ROW LEVEL SECURITY;
CREATE POLICY tenants_apart ON copy_progress USING (tenant_id =
    (SELECT NULLIF(current_setting('stockhold.tenant', true), '')::uuid));
CREATE POLICY owner_sees_all ON copy_progress TO CURRENT_USER USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON copy_progress TO stockhold_app;
