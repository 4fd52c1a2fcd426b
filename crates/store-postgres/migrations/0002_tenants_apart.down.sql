-- The role stays: another database of the same server may use it.
DROP FUNCTION stockhold_due(BIGINT);
DROP FUNCTION stockhold_key_by_hash(BYTEA);
DROP FUNCTION stockhold_api_keys(UUID[]);
DROP FUNCTION stockhold_timeouts(UUID[]);
DROP FUNCTION stockhold_tenants(UUID[]);
ALTER FUNCTION stockhold_expect(BIGINT, BIGINT) RESET search_path;
REVOKE ALL ON FUNCTION stockhold_expect(BIGINT, BIGINT) FROM stockhold_app;
GRANT EXECUTE ON FUNCTION stockhold_expect(BIGINT, BIGINT) TO PUBLIC;
REVOKE ALL ON schema_migrations FROM stockhold_app;
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
        EXECUTE format('REVOKE ALL ON %I FROM stockhold_app', part);
        EXECUTE format('DROP POLICY IF EXISTS owner_sees_all ON %I', part);
        EXECUTE format('DROP POLICY IF EXISTS tenants_apart ON %I', part);
        EXECUTE format('ALTER TABLE %I NO FORCE ROW LEVEL SECURITY', part);
        EXECUTE format('ALTER TABLE %I DISABLE ROW LEVEL SECURITY', part);
    END LOOP;
    EXECUTE format('REVOKE USAGE ON SCHEMA %I FROM stockhold_app', current_schema());
END $$;
