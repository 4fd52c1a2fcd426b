-- What looks across tenants, in PL/pgSQL: Citus plans it there, and not in SQL functions.
CREATE OR REPLACE FUNCTION stockhold_tenants(ids UUID[]) RETURNS SETOF tenants
LANGUAGE plpgsql STABLE SECURITY DEFINER AS $$
BEGIN
    IF ids IS NULL THEN
        RETURN QUERY SELECT t.* FROM tenants t;
    ELSE
        RETURN QUERY SELECT t.* FROM tenants t WHERE t.tenant_id = ANY (ids);
    END IF;
END $$;
CREATE OR REPLACE FUNCTION stockhold_timeouts(ids UUID[]) RETURNS SETOF tenant_timeouts
LANGUAGE plpgsql STABLE SECURITY DEFINER AS $$
BEGIN
    RETURN QUERY SELECT t.* FROM tenant_timeouts t WHERE t.tenant_id = ANY (ids);
END $$;
CREATE OR REPLACE FUNCTION stockhold_api_keys(ids UUID[]) RETURNS SETOF api_keys
LANGUAGE plpgsql STABLE SECURITY DEFINER AS $$
BEGIN
    RETURN QUERY SELECT k.* FROM api_keys k WHERE k.key_id = ANY (ids);
END $$;
CREATE OR REPLACE FUNCTION stockhold_key_by_hash(wanted BYTEA) RETURNS SETOF api_keys
LANGUAGE plpgsql STABLE SECURITY DEFINER AS $$
DECLARE
    of_tenant UUID;
    of_key UUID;
BEGIN
    SELECT h.of_tenant_id, h.key_id INTO of_tenant, of_key FROM api_key_hashes h
    WHERE h.tenant_id = '00000000-0000-0000-0000-000000000000' AND h.hash = wanted;
    RETURN QUERY SELECT k.* FROM api_keys k WHERE k.tenant_id = of_tenant AND k.key_id = of_key;
END $$;
-- The tenants that have these slugs.
CREATE FUNCTION stockhold_slugs(slugs TEXT[]) RETURNS UUID[]
LANGUAGE plpgsql STABLE SECURITY DEFINER AS $$
BEGIN
    RETURN ARRAY(SELECT s.of_tenant_id FROM tenant_slugs s
        WHERE s.tenant_id = '00000000-0000-0000-0000-000000000000' AND s.slug = ANY (slugs));
END $$;
DO $$
DECLARE
    part TEXT;
BEGIN
    FOREACH part IN ARRAY ARRAY['stockhold_tenants(UUID[])', 'stockhold_timeouts(UUID[])',
        'stockhold_api_keys(UUID[])', 'stockhold_key_by_hash(BYTEA)', 'stockhold_slugs(TEXT[])']
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', part, current_schema());
    END LOOP;
END $$;
REVOKE ALL ON FUNCTION stockhold_slugs(TEXT[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION stockhold_slugs(TEXT[]) TO stockhold_app;
