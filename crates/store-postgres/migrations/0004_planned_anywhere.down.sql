DROP FUNCTION stockhold_slugs(TEXT[]);
CREATE OR REPLACE FUNCTION stockhold_tenants(ids UUID[]) RETURNS SETOF tenants
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT * FROM tenants WHERE tenant_id = ANY (ids)
    UNION ALL SELECT * FROM tenants WHERE ids IS NULL
$$;
CREATE OR REPLACE FUNCTION stockhold_timeouts(ids UUID[]) RETURNS SETOF tenant_timeouts
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT * FROM tenant_timeouts WHERE tenant_id = ANY (ids)
    UNION ALL SELECT * FROM tenant_timeouts WHERE ids IS NULL
$$;
CREATE OR REPLACE FUNCTION stockhold_api_keys(ids UUID[]) RETURNS SETOF api_keys
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT * FROM api_keys WHERE key_id = ANY (ids)
$$;
CREATE OR REPLACE FUNCTION stockhold_key_by_hash(wanted BYTEA) RETURNS SETOF api_keys
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT k.* FROM api_key_hashes h
    JOIN api_keys k ON k.tenant_id = h.of_tenant_id AND k.key_id = h.key_id
    WHERE h.tenant_id = '00000000-0000-0000-0000-000000000000' AND h.hash = wanted
$$;
DO $$
DECLARE
    part TEXT;
BEGIN
    FOREACH part IN ARRAY ARRAY['stockhold_tenants(UUID[])', 'stockhold_timeouts(UUID[])',
        'stockhold_api_keys(UUID[])', 'stockhold_key_by_hash(BYTEA)']
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', part, current_schema());
    END LOOP;
END $$;
