-- The server's role owns nothing and sees one tenant a transaction: the one that the transaction
-- has named in stockhold.tenant. `stockhold migrate roles` prints how to make the roles; where
-- nobody has, and the role that migrates may, the server's role is made here, without a login.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'stockhold_app') THEN
        BEGIN
            CREATE ROLE stockhold_app NOLOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL; -- Another database of this server was migrated at the same time.
        END;
    END IF;
    BEGIN
        EXECUTE format('GRANT stockhold_app TO %I', CURRENT_USER);
    EXCEPTION WHEN insufficient_privilege THEN
        NULL; -- An administrator has made the roles: whoever may work as stockhold_app, may.
    END;
    EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC', current_schema());
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO stockhold_app', current_schema());
END $$;

DO $$
DECLARE
    part TEXT;
BEGIN
    FOREACH part IN ARRAY ARRAY['tenants', 'tenant_slugs', 'tenant_timeouts', 'lanes', 'batches',
        'api_keys', 'api_key_hashes', 'server_secrets', 'locations', 'products',
        'product_variants', 'stock_levels', 'orders', 'order_contacts', 'order_items',
        'stock_reservations', 'payments', 'refunds', 'carts', 'cart_items', 'events',
        'idempotency_keys']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', part);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', part);
        -- A subselect, so that the setting is read once a statement and not once a row.
        EXECUTE format('CREATE POLICY tenants_apart ON %I USING (tenant_id = '
            '(SELECT NULLIF(current_setting(''stockhold.tenant'', true), '''')::uuid))', part);
        EXECUTE format('CREATE POLICY owner_sees_all ON %I TO CURRENT_USER USING (true)', part);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO stockhold_app', part);
    END LOOP;
END $$;
-- The journal is append-only.
REVOKE UPDATE, DELETE ON events FROM stockhold_app;
GRANT SELECT ON schema_migrations TO stockhold_app;

-- What must look across tenants, and nothing else does.
CREATE FUNCTION stockhold_tenants(ids UUID[]) RETURNS SETOF tenants
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT * FROM tenants WHERE tenant_id = ANY (ids)
    UNION ALL SELECT * FROM tenants WHERE ids IS NULL
$$;
CREATE FUNCTION stockhold_timeouts(ids UUID[]) RETURNS SETOF tenant_timeouts
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT * FROM tenant_timeouts WHERE tenant_id = ANY (ids)
    UNION ALL SELECT * FROM tenant_timeouts WHERE ids IS NULL
$$;
CREATE FUNCTION stockhold_api_keys(ids UUID[]) RETURNS SETOF api_keys
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT * FROM api_keys WHERE key_id = ANY (ids)
$$;
CREATE FUNCTION stockhold_key_by_hash(wanted BYTEA) RETURNS SETOF api_keys
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT k.* FROM api_key_hashes h
    JOIN api_keys k ON k.tenant_id = h.of_tenant_id AND k.key_id = h.key_id
    WHERE h.tenant_id = '00000000-0000-0000-0000-000000000000' AND h.hash = wanted
$$;
-- Tenants with holds that are due at a time in milliseconds, and may end; NULL is now.
CREATE FUNCTION stockhold_due(at BIGINT)
RETURNS TABLE (tenant_id UUID, oldest BIGINT, paused BOOLEAN)
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT * FROM (
        SELECT l.tenant_id, (SELECT r.expires_at FROM stock_reservations r
            WHERE r.status = 'active' AND r.tenant_id = l.tenant_id
                AND r.expires_at > COALESCE(l.expiry_resumed_at, -1)
            ORDER BY r.expires_at LIMIT 1) AS oldest, l.cleanup_paused_at IS NOT NULL AS paused
        FROM lanes l WHERE l.expiry_suspended_at IS NULL AND l.read_only_since IS NULL
    ) AS first_due
    WHERE oldest <= COALESCE(at, (EXTRACT(EPOCH FROM now()) * 1000)::BIGINT)
$$;
DO $$
DECLARE
    part TEXT;
BEGIN
    FOREACH part IN ARRAY ARRAY['stockhold_tenants(UUID[])', 'stockhold_timeouts(UUID[])',
        'stockhold_api_keys(UUID[])', 'stockhold_key_by_hash(BYTEA)', 'stockhold_due(BIGINT)',
        'stockhold_expect(BIGINT, BIGINT)']
    LOOP
        -- A caller's temporary tables must not stand before ours (CREATE FUNCTION, "Writing
        -- SECURITY DEFINER Functions Safely").
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', part, current_schema());
        EXECUTE 'REVOKE ALL ON FUNCTION ' || part || ' FROM PUBLIC';
        EXECUTE 'GRANT EXECUTE ON FUNCTION ' || part || ' TO stockhold_app';
    END LOOP;
END $$;
