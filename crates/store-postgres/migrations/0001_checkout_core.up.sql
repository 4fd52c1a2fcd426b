-- Ids are UUIDs, times are milliseconds since the Unix epoch (UTC), money is a whole number in the
-- currency's minor unit. Every table and every unique key begins with tenant_id, so that the whole
-- schema can be distributed by it. The platform's own rows stand under the nil UUID. See
-- docs/schema.md.

CREATE TABLE tenants (
    tenant_id UUID NOT NULL CONSTRAINT tenants_pk PRIMARY KEY,
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    default_location_id UUID NOT NULL,
    payment_timeout_minutes BIGINT,
    payment_grace_seconds BIGINT NOT NULL,
    hold_extension_max_minutes BIGINT NOT NULL,
    default_provider TEXT NOT NULL,
    stock_mode TEXT NOT NULL CONSTRAINT tenants_stock_mode_known CHECK (stock_mode IN ('reserve', 'immediate')),
    tax_rate_bps BIGINT NOT NULL,
    tax_inclusive BOOLEAN NOT NULL,
    shipping_flat_fee BIGINT NOT NULL,
    free_shipping_over BIGINT,
    default_currency TEXT NOT NULL,
    low_stock_threshold BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

-- Who has which slug, and which key has which hash: the platform's own directories, because no
-- unique key may span tenants.
CREATE TABLE tenant_slugs (
    tenant_id UUID NOT NULL,
    slug TEXT NOT NULL,
    of_tenant_id UUID NOT NULL,
    CONSTRAINT tenant_slugs_pk PRIMARY KEY (tenant_id, slug)
);
CREATE TABLE api_key_hashes (
    tenant_id UUID NOT NULL,
    hash BYTEA NOT NULL,
    of_tenant_id UUID NOT NULL,
    key_id UUID NOT NULL,
    CONSTRAINT api_key_hashes_pk PRIMARY KEY (tenant_id, hash)
);

CREATE TABLE tenant_timeouts (
    tenant_id UUID NOT NULL,
    kind TEXT NOT NULL CONSTRAINT tenant_timeouts_kind_known CHECK (kind IN ('method', 'tier')),
    name TEXT NOT NULL,
    minutes BIGINT NOT NULL,
    CONSTRAINT tenant_timeouts_pk PRIMARY KEY (tenant_id, kind, name)
);

CREATE TABLE lanes (
    tenant_id UUID NOT NULL CONSTRAINT lanes_pk PRIMARY KEY,
    seq BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    next_order_number BIGINT NOT NULL,
    expiry_suspended_at BIGINT,
    expiry_resumed_at BIGINT,
    cleanup_paused_at BIGINT,
    read_only_since BIGINT
) WITH (fillfactor = 20);
INSERT INTO lanes (tenant_id, seq, last_at, next_order_number)
VALUES ('00000000-0000-0000-0000-000000000000', 0, 0, 1001);

-- Batches that were committed, for a while: a commit of unknown outcome is looked up here.
CREATE TABLE batches (
    tenant_id UUID NOT NULL,
    batch_id UUID NOT NULL,
    at BIGINT NOT NULL,
    CONSTRAINT batches_pk PRIMARY KEY (tenant_id, batch_id)
);

CREATE TABLE api_keys (
    tenant_id UUID NOT NULL,
    key_id UUID NOT NULL,
    kind TEXT NOT NULL CONSTRAINT api_keys_kind_known CHECK (kind IN ('secret', 'publishable', 'platform')),
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    hash BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT,
    CONSTRAINT api_keys_pk PRIMARY KEY (tenant_id, key_id)
);

CREATE TABLE server_secrets (
    tenant_id UUID NOT NULL,
    name TEXT NOT NULL,
    value BYTEA NOT NULL,
    CONSTRAINT server_secrets_pk PRIMARY KEY (tenant_id, name)
);

CREATE TABLE locations (
    tenant_id UUID NOT NULL,
    location_id UUID NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    priority BIGINT NOT NULL,
    CONSTRAINT locations_pk PRIMARY KEY (tenant_id, location_id),
    CONSTRAINT locations_code_unique UNIQUE (tenant_id, code)
);

CREATE TABLE products (
    tenant_id UUID NOT NULL,
    product_id UUID NOT NULL,
    handle TEXT,
    title TEXT NOT NULL,
    description TEXT,
    status TEXT NOT NULL CONSTRAINT products_status_known CHECK (status IN ('active', 'archived')),
    currency TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CONSTRAINT products_pk PRIMARY KEY (tenant_id, product_id)
);
CREATE INDEX idx_products_created_at ON products (tenant_id, created_at, product_id) WHERE status = 'active';
CREATE UNIQUE INDEX idx_products_handle ON products (tenant_id, handle) WHERE handle IS NOT NULL;

CREATE TABLE product_variants (
    tenant_id UUID NOT NULL,
    variant_id UUID NOT NULL,
    product_id UUID NOT NULL,
    position BIGINT NOT NULL,
    sku TEXT,
    title TEXT NOT NULL,
    options TEXT NOT NULL,
    unit_price BIGINT NOT NULL CONSTRAINT product_variants_price_not_negative CHECK (unit_price >= 0),
    version BIGINT NOT NULL,
    CONSTRAINT product_variants_pk PRIMARY KEY (tenant_id, variant_id),
    -- Checked at a statement's end: two variants may exchange their codes.
    CONSTRAINT product_variants_sku_unique UNIQUE (tenant_id, sku) DEFERRABLE INITIALLY IMMEDIATE,
    CONSTRAINT product_variants_product_fk FOREIGN KEY (tenant_id, product_id)
        REFERENCES products (tenant_id, product_id)
);
CREATE INDEX idx_product_variants_product_id ON product_variants (tenant_id, product_id);

CREATE TABLE stock_levels (
    tenant_id UUID NOT NULL,
    variant_id UUID NOT NULL,
    location_id UUID NOT NULL,
    stock_quantity BIGINT NOT NULL,
    reserved_stock BIGINT NOT NULL,
    backorder_limit BIGINT NOT NULL,
    low_stock_threshold BIGINT,
    version BIGINT NOT NULL,
    last_seq BIGINT NOT NULL,
    CONSTRAINT stock_levels_pk PRIMARY KEY (tenant_id, variant_id, location_id),
    CONSTRAINT stock_levels_reserved_not_negative CHECK (reserved_stock >= 0),
    CONSTRAINT stock_levels_not_oversold CHECK (stock_quantity - reserved_stock >= -backorder_limit)
) WITH (fillfactor = 50);

CREATE TABLE orders (
    tenant_id UUID NOT NULL,
    order_id UUID NOT NULL,
    order_number BIGINT NOT NULL,
    status TEXT NOT NULL CONSTRAINT orders_status_known CHECK (status IN
        ('draft', 'pending', 'paid', 'processing', 'shipped', 'delivered', 'cancelled', 'refunded')),
    payment_status TEXT NOT NULL CONSTRAINT orders_payment_status_known CHECK (payment_status IN
        ('pending', 'paid', 'partially_refunded', 'refunded', 'failed', 'expired')),
    financial_status TEXT NOT NULL CONSTRAINT orders_financial_status_known CHECK (financial_status IN
        ('draft', 'locked', 'paid', 'refunded')),
    currency TEXT NOT NULL,
    subtotal BIGINT NOT NULL,
    discount_amount BIGINT NOT NULL,
    tax_amount BIGINT NOT NULL,
    shipping_fee BIGINT NOT NULL,
    total_amount BIGINT NOT NULL CONSTRAINT orders_total_not_negative CHECK (total_amount >= 0),
    given_tax BIGINT,
    given_shipping BIGINT,
    customer_id TEXT,
    customer_tier TEXT,
    payment_method TEXT,
    payment_reference TEXT,
    payment_expires_at BIGINT,
    hold_extended_millis BIGINT NOT NULL,
    locked_at BIGINT,
    snapshot_hash TEXT,
    paid_at BIGINT,
    shipped_at BIGINT,
    delivered_at BIGINT,
    on_hold_since BIGINT,
    on_hold_by TEXT,
    on_hold_reason TEXT,
    cancelled_at BIGINT,
    tracking_number TEXT,
    carrier TEXT,
    notes TEXT,
    admin_notes TEXT,
    cart_id UUID,
    idempotency_key TEXT,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CONSTRAINT orders_pk PRIMARY KEY (tenant_id, order_id)
);
CREATE UNIQUE INDEX idx_orders_order_number ON orders (tenant_id, order_number);
CREATE UNIQUE INDEX idx_orders_cart_id ON orders (tenant_id, cart_id) WHERE cart_id IS NOT NULL;

CREATE TABLE order_contacts (
    tenant_id UUID NOT NULL,
    order_id UUID NOT NULL,
    customer_email TEXT,
    shipping_address TEXT,
    shipping_city TEXT,
    shipping_state TEXT,
    shipping_pincode TEXT,
    shipping_phone TEXT,
    CONSTRAINT order_contacts_pk PRIMARY KEY (tenant_id, order_id)
);

CREATE TABLE order_items (
    tenant_id UUID NOT NULL,
    order_id UUID NOT NULL,
    position BIGINT NOT NULL,
    item_id UUID NOT NULL,
    product_id UUID NOT NULL,
    variant_id UUID NOT NULL,
    location_id UUID,
    location_forced BOOLEAN NOT NULL,
    sku TEXT,
    title TEXT NOT NULL,
    variant_title TEXT NOT NULL,
    options TEXT NOT NULL,
    quantity BIGINT NOT NULL CONSTRAINT order_items_quantity_positive CHECK (quantity > 0),
    unit_price BIGINT NOT NULL,
    discount BIGINT NOT NULL,
    total_price BIGINT NOT NULL,
    CONSTRAINT order_items_pk PRIMARY KEY (tenant_id, order_id, position)
);

-- One row an order, variant and location: seed 003's unique order_id cannot hold two items.
CREATE TABLE stock_reservations (
    tenant_id UUID NOT NULL,
    reservation_id UUID NOT NULL,
    order_id UUID NOT NULL,
    product_id UUID NOT NULL,
    variant_id UUID NOT NULL,
    location_id UUID NOT NULL,
    quantity BIGINT NOT NULL CONSTRAINT stock_reservations_quantity_positive CHECK (quantity > 0),
    deducted BOOLEAN NOT NULL,
    reserved_at BIGINT NOT NULL,
    expires_at BIGINT,
    status TEXT NOT NULL CONSTRAINT stock_reservations_status_known CHECK (status IN
        ('active', 'converted', 'expired', 'cancelled')),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CONSTRAINT idx_reservations_order_id PRIMARY KEY (tenant_id, order_id, reservation_id)
);
CREATE INDEX idx_reservations_expires_at
    ON stock_reservations (tenant_id, expires_at, order_id, variant_id) WHERE status = 'active';
CREATE UNIQUE INDEX idx_active_reservation_per_order
    ON stock_reservations (tenant_id, order_id, variant_id, location_id) WHERE status = 'active';

CREATE TABLE payments (
    tenant_id UUID NOT NULL,
    payment_id UUID NOT NULL,
    order_id UUID NOT NULL,
    attempt BIGINT NOT NULL,
    provider TEXT NOT NULL,
    payment_method TEXT,
    status TEXT NOT NULL CONSTRAINT payments_status_known CHECK (status IN
        ('pending', 'succeeded', 'failed', 'cancelled', 'partially_refunded', 'refunded')),
    amount BIGINT NOT NULL,
    refunded_amount BIGINT NOT NULL,
    currency TEXT NOT NULL,
    provider_reference TEXT NOT NULL,
    provider_payment_id TEXT,
    return_url TEXT,
    expires_at BIGINT,
    failure_code TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CONSTRAINT payments_pk PRIMARY KEY (tenant_id, payment_id),
    CONSTRAINT payments_attempt_unique UNIQUE (tenant_id, order_id, attempt),
    CONSTRAINT payments_not_over_refunded CHECK (refunded_amount BETWEEN 0 AND amount)
);

CREATE TABLE refunds (
    tenant_id UUID NOT NULL,
    refund_id UUID NOT NULL,
    payment_id UUID NOT NULL,
    order_id UUID NOT NULL,
    amount BIGINT NOT NULL CONSTRAINT refunds_amount_positive CHECK (amount > 0),
    currency TEXT NOT NULL,
    items TEXT NOT NULL,
    restock BOOLEAN NOT NULL,
    reason TEXT,
    created_at BIGINT NOT NULL,
    CONSTRAINT refunds_pk PRIMARY KEY (tenant_id, refund_id)
);
CREATE INDEX idx_refunds_order_id ON refunds (tenant_id, order_id);

CREATE TABLE carts (
    tenant_id UUID NOT NULL,
    cart_id UUID NOT NULL,
    status TEXT NOT NULL CONSTRAINT carts_status_known CHECK (status IN ('active', 'converted')),
    currency TEXT,
    customer_id TEXT,
    customer_email TEXT,
    session_id TEXT,
    order_id UUID,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CONSTRAINT carts_pk PRIMARY KEY (tenant_id, cart_id)
);

CREATE TABLE cart_items (
    tenant_id UUID NOT NULL,
    cart_id UUID NOT NULL,
    item_id UUID NOT NULL,
    -- Items are shown in the order in which they came.
    inserted BIGINT GENERATED BY DEFAULT AS IDENTITY,
    product_id UUID NOT NULL,
    variant_id UUID NOT NULL,
    sku TEXT,
    title TEXT NOT NULL,
    quantity BIGINT NOT NULL CONSTRAINT cart_items_quantity_positive CHECK (quantity > 0),
    unit_price BIGINT NOT NULL,
    CONSTRAINT cart_items_pk PRIMARY KEY (tenant_id, cart_id, item_id),
    CONSTRAINT cart_items_variant_unique UNIQUE (tenant_id, cart_id, variant_id)
);

CREATE TABLE events (
    tenant_id UUID NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    type TEXT NOT NULL,
    order_id UUID,
    payload TEXT NOT NULL,
    movements TEXT NOT NULL,
    CONSTRAINT events_pk PRIMARY KEY (tenant_id, seq)
);
CREATE INDEX idx_events_order_id ON events (tenant_id, order_id, seq) WHERE order_id IS NOT NULL;
CREATE INDEX idx_events_control ON events (tenant_id, seq) WHERE type = 'control.moved';

-- Answers under idempotency keys, for as long as they are kept.
CREATE TABLE idempotency_keys (
    tenant_id UUID NOT NULL,
    key UUID NOT NULL,
    fingerprint BYTEA NOT NULL,
    status BIGINT NOT NULL,
    body BYTEA NOT NULL,
    seq BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT idempotency_keys_pk PRIMARY KEY (tenant_id, key)
);
CREATE INDEX idx_idempotency_keys_created_at ON idempotency_keys (tenant_id, created_at);

CREATE VIEW variant_stock AS
SELECT v.tenant_id, v.variant_id, v.product_id,
       COALESCE(SUM(l.stock_quantity), 0) AS stock_quantity,
       COALESCE(SUM(l.reserved_stock), 0) AS reserved_stock,
       COALESCE(SUM(GREATEST(l.stock_quantity - l.reserved_stock + l.backorder_limit, 0)), 0) AS available,
       v.version + COALESCE(SUM(l.version), 0) AS version,
       COALESCE(SUM(GREATEST(l.stock_quantity - l.reserved_stock + l.backorder_limit, 0)), 0) > 0 AS in_stock
FROM product_variants v
LEFT JOIN stock_levels l ON l.tenant_id = v.tenant_id AND l.variant_id = v.variant_id
GROUP BY v.tenant_id, v.variant_id, v.product_id, v.version;

CREATE VIEW product_stock AS
SELECT p.tenant_id, p.product_id,
       COALESCE(SUM(s.stock_quantity), 0) AS stock_quantity,
       COALESCE(SUM(s.reserved_stock), 0) AS reserved_stock,
       COALESCE(SUM(s.available), 0) AS available,
       p.version + COALESCE(SUM(s.version), 0) AS version,
       COALESCE(SUM(s.available), 0) > 0 AS in_stock
FROM products p
LEFT JOIN variant_stock s ON s.tenant_id = p.tenant_id AND s.product_id = p.product_id
GROUP BY p.tenant_id, p.product_id, p.version;

-- Ends a transaction in which fewer rows stood as they were loaded than were to be written, with
-- the code of a serialisation failure: the batch is decided anew.
CREATE FUNCTION stockhold_expect(stood BIGINT, wanted BIGINT) RETURNS VOID LANGUAGE plpgsql AS $$
BEGIN
    IF stood <> wanted THEN
        RAISE EXCEPTION 'only % of % rows stood as they were loaded', stood, wanted
            USING ERRCODE = 'serialization_failure';
    END IF;
END $$;
