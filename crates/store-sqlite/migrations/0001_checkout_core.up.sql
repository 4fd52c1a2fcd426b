-- Ids are lower-case UUID text, times are milliseconds since the Unix epoch (UTC), money is an
-- integer in the currency's minor unit. See docs/schema.md.

CREATE TABLE tenants (
    tenant_id TEXT NOT NULL CONSTRAINT tenants_pk PRIMARY KEY,
    slug TEXT NOT NULL CONSTRAINT tenants_slug_unique UNIQUE,
    name TEXT NOT NULL,
    default_location_id TEXT NOT NULL,
    payment_timeout_minutes INTEGER,
    payment_grace_seconds INTEGER NOT NULL,
    hold_extension_max_minutes INTEGER NOT NULL,
    default_provider TEXT NOT NULL,
    stock_mode TEXT NOT NULL CONSTRAINT tenants_stock_mode_known CHECK (stock_mode IN ('reserve', 'immediate')),
    tax_rate_bps INTEGER NOT NULL,
    tax_inclusive INTEGER NOT NULL,
    shipping_flat_fee INTEGER NOT NULL,
    free_shipping_over INTEGER,
    default_currency TEXT NOT NULL,
    low_stock_threshold INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE tenant_timeouts (
    tenant_id TEXT NOT NULL,
    kind TEXT NOT NULL CONSTRAINT tenant_timeouts_kind_known CHECK (kind IN ('method', 'tier')),
    name TEXT NOT NULL,
    minutes INTEGER NOT NULL,
    CONSTRAINT tenant_timeouts_pk PRIMARY KEY (tenant_id, kind, name)
) STRICT;

CREATE TABLE lanes (
    tenant_id TEXT NOT NULL CONSTRAINT lanes_pk PRIMARY KEY,
    seq INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    next_order_number INTEGER NOT NULL
) STRICT;

CREATE TABLE api_keys (
    tenant_id TEXT NOT NULL,
    key_id TEXT NOT NULL,
    kind TEXT NOT NULL CONSTRAINT api_keys_kind_known CHECK (kind IN ('secret', 'publishable', 'platform')),
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    hash BLOB NOT NULL CONSTRAINT api_keys_hash_unique UNIQUE,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER,
    CONSTRAINT api_keys_pk PRIMARY KEY (tenant_id, key_id)
) STRICT;

CREATE TABLE server_secrets (
    name TEXT NOT NULL CONSTRAINT server_secrets_pk PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;

CREATE TABLE locations (
    tenant_id TEXT NOT NULL,
    location_id TEXT NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    priority INTEGER NOT NULL,
    CONSTRAINT locations_pk PRIMARY KEY (tenant_id, location_id),
    CONSTRAINT locations_code_unique UNIQUE (tenant_id, code)
) STRICT;

CREATE TABLE products (
    tenant_id TEXT NOT NULL,
    product_id TEXT NOT NULL,
    title TEXT NOT NULL,
    description TEXT,
    status TEXT NOT NULL CONSTRAINT products_status_known CHECK (status IN ('active', 'archived')),
    currency TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CONSTRAINT products_pk PRIMARY KEY (tenant_id, product_id)
) STRICT;

CREATE TABLE product_variants (
    tenant_id TEXT NOT NULL,
    variant_id TEXT NOT NULL,
    product_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    sku TEXT,
    title TEXT NOT NULL,
    options TEXT NOT NULL,
    unit_price INTEGER NOT NULL CONSTRAINT product_variants_price_not_negative CHECK (unit_price >= 0),
    version INTEGER NOT NULL,
    CONSTRAINT product_variants_pk PRIMARY KEY (tenant_id, variant_id),
    CONSTRAINT product_variants_sku_unique UNIQUE (tenant_id, sku),
    CONSTRAINT product_variants_product_fk FOREIGN KEY (tenant_id, product_id)
        REFERENCES products (tenant_id, product_id)
) STRICT;
CREATE INDEX idx_product_variants_product_id ON product_variants (tenant_id, product_id);

CREATE TABLE stock_levels (
    tenant_id TEXT NOT NULL,
    variant_id TEXT NOT NULL,
    location_id TEXT NOT NULL,
    stock_quantity INTEGER NOT NULL,
    reserved_stock INTEGER NOT NULL,
    backorder_limit INTEGER NOT NULL,
    low_stock_threshold INTEGER,
    version INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    CONSTRAINT stock_levels_pk PRIMARY KEY (tenant_id, variant_id, location_id),
    CONSTRAINT stock_levels_reserved_not_negative CHECK (reserved_stock >= 0),
    CONSTRAINT stock_levels_not_oversold CHECK (stock_quantity - reserved_stock >= -backorder_limit)
) STRICT;

CREATE TABLE orders (
    tenant_id TEXT NOT NULL,
    order_id TEXT NOT NULL,
    order_number INTEGER NOT NULL,
    status TEXT NOT NULL CONSTRAINT orders_status_known CHECK (status IN
        ('draft', 'pending', 'paid', 'processing', 'shipped', 'delivered', 'cancelled', 'refunded')),
    payment_status TEXT NOT NULL CONSTRAINT orders_payment_status_known CHECK (payment_status IN
        ('pending', 'paid', 'partially_refunded', 'refunded', 'failed', 'expired')),
    financial_status TEXT NOT NULL CONSTRAINT orders_financial_status_known CHECK (financial_status IN
        ('draft', 'locked', 'paid', 'refunded')),
    currency TEXT NOT NULL,
    subtotal INTEGER NOT NULL,
    discount_amount INTEGER NOT NULL,
    tax_amount INTEGER NOT NULL,
    shipping_fee INTEGER NOT NULL,
    total_amount INTEGER NOT NULL CONSTRAINT orders_total_not_negative CHECK (total_amount >= 0),
    given_tax INTEGER,
    given_shipping INTEGER,
    customer_id TEXT,
    customer_tier TEXT,
    payment_method TEXT,
    payment_reference TEXT,
    payment_expires_at INTEGER,
    hold_extended_millis INTEGER NOT NULL,
    locked_at INTEGER,
    snapshot_hash TEXT,
    paid_at INTEGER,
    shipped_at INTEGER,
    delivered_at INTEGER,
    cancelled_at INTEGER,
    tracking_number TEXT,
    carrier TEXT,
    notes TEXT,
    admin_notes TEXT,
    cart_id TEXT,
    idempotency_key TEXT,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CONSTRAINT orders_pk PRIMARY KEY (tenant_id, order_id)
) STRICT;
CREATE UNIQUE INDEX idx_orders_order_number ON orders (tenant_id, order_number);
CREATE UNIQUE INDEX idx_orders_cart_id ON orders (tenant_id, cart_id) WHERE cart_id IS NOT NULL;

CREATE TABLE order_contacts (
    tenant_id TEXT NOT NULL,
    order_id TEXT NOT NULL,
    customer_email TEXT,
    shipping_address TEXT,
    shipping_city TEXT,
    shipping_state TEXT,
    shipping_pincode TEXT,
    shipping_phone TEXT,
    CONSTRAINT order_contacts_pk PRIMARY KEY (tenant_id, order_id)
) STRICT;

CREATE TABLE order_items (
    tenant_id TEXT NOT NULL,
    order_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    item_id TEXT NOT NULL,
    product_id TEXT NOT NULL,
    variant_id TEXT NOT NULL,
    location_id TEXT,
    location_forced INTEGER NOT NULL,
    sku TEXT,
    title TEXT NOT NULL,
    variant_title TEXT NOT NULL,
    options TEXT NOT NULL,
    quantity INTEGER NOT NULL CONSTRAINT order_items_quantity_positive CHECK (quantity > 0),
    unit_price INTEGER NOT NULL,
    discount INTEGER NOT NULL,
    total_price INTEGER NOT NULL,
    CONSTRAINT order_items_pk PRIMARY KEY (tenant_id, order_id, position)
) STRICT;

-- One row an order, variant and location: seed 003's unique order_id cannot hold two items.
CREATE TABLE stock_reservations (
    tenant_id TEXT NOT NULL,
    reservation_id TEXT NOT NULL,
    order_id TEXT NOT NULL,
    product_id TEXT NOT NULL,
    variant_id TEXT NOT NULL,
    location_id TEXT NOT NULL,
    quantity INTEGER NOT NULL CONSTRAINT stock_reservations_quantity_positive CHECK (quantity > 0),
    deducted INTEGER NOT NULL,
    reserved_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    status TEXT NOT NULL CONSTRAINT stock_reservations_status_known CHECK (status IN
        ('active', 'converted', 'expired', 'cancelled')),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX idx_reservations_order_id
    ON stock_reservations (tenant_id, order_id, reservation_id);
CREATE INDEX idx_reservations_expires_at
    ON stock_reservations (expires_at, tenant_id, variant_id, order_id) WHERE status = 'active';
CREATE UNIQUE INDEX idx_active_reservation_per_order
    ON stock_reservations (tenant_id, order_id, variant_id, location_id) WHERE status = 'active';

CREATE TABLE payments (
    tenant_id TEXT NOT NULL,
    payment_id TEXT NOT NULL,
    order_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    provider TEXT NOT NULL,
    payment_method TEXT,
    status TEXT NOT NULL CONSTRAINT payments_status_known CHECK (status IN
        ('pending', 'succeeded', 'failed', 'cancelled', 'partially_refunded', 'refunded')),
    amount INTEGER NOT NULL,
    refunded_amount INTEGER NOT NULL,
    currency TEXT NOT NULL,
    provider_reference TEXT NOT NULL,
    provider_payment_id TEXT,
    return_url TEXT,
    expires_at INTEGER,
    failure_code TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CONSTRAINT payments_pk PRIMARY KEY (tenant_id, payment_id),
    CONSTRAINT payments_attempt_unique UNIQUE (tenant_id, order_id, attempt),
    CONSTRAINT payments_not_over_refunded CHECK (refunded_amount BETWEEN 0 AND amount)
) STRICT;

CREATE TABLE refunds (
    tenant_id TEXT NOT NULL,
    refund_id TEXT NOT NULL,
    payment_id TEXT NOT NULL,
    order_id TEXT NOT NULL,
    amount INTEGER NOT NULL CONSTRAINT refunds_amount_positive CHECK (amount > 0),
    currency TEXT NOT NULL,
    items TEXT NOT NULL,
    restock INTEGER NOT NULL,
    reason TEXT,
    created_at INTEGER NOT NULL,
    CONSTRAINT refunds_pk PRIMARY KEY (tenant_id, refund_id)
) STRICT;
CREATE INDEX idx_refunds_order_id ON refunds (tenant_id, order_id);

CREATE TABLE carts (
    tenant_id TEXT NOT NULL,
    cart_id TEXT NOT NULL,
    status TEXT NOT NULL CONSTRAINT carts_status_known CHECK (status IN ('active', 'converted')),
    currency TEXT,
    customer_id TEXT,
    customer_email TEXT,
    session_id TEXT,
    order_id TEXT,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CONSTRAINT carts_pk PRIMARY KEY (tenant_id, cart_id)
) STRICT;

CREATE TABLE cart_items (
    tenant_id TEXT NOT NULL,
    cart_id TEXT NOT NULL,
    item_id TEXT NOT NULL,
    product_id TEXT NOT NULL,
    variant_id TEXT NOT NULL,
    sku TEXT,
    title TEXT NOT NULL,
    quantity INTEGER NOT NULL CONSTRAINT cart_items_quantity_positive CHECK (quantity > 0),
    unit_price INTEGER NOT NULL,
    CONSTRAINT cart_items_pk PRIMARY KEY (tenant_id, cart_id, item_id),
    CONSTRAINT cart_items_variant_unique UNIQUE (tenant_id, cart_id, variant_id)
) STRICT;

CREATE TABLE events (
    tenant_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    type TEXT NOT NULL,
    order_id TEXT,
    payload TEXT NOT NULL,
    movements TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX events_pk ON events (tenant_id, seq);
CREATE INDEX idx_events_order_id ON events (tenant_id, order_id, seq) WHERE order_id IS NOT NULL;

-- Answers stand in the order in which they were given; only the narrow key index is random.
CREATE TABLE idempotency_answers (
    answer_id INTEGER PRIMARY KEY,
    key BLOB NOT NULL,
    fingerprint BLOB NOT NULL,
    status INTEGER NOT NULL,
    body BLOB NOT NULL,
    seq INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE idempotency_keys (
    key BLOB NOT NULL CONSTRAINT idempotency_keys_pk PRIMARY KEY,
    answer_id INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE VIEW variant_stock AS
SELECT v.tenant_id, v.variant_id, v.product_id,
       COALESCE(SUM(l.stock_quantity), 0) AS stock_quantity,
       COALESCE(SUM(l.reserved_stock), 0) AS reserved_stock,
       COALESCE(SUM(MAX(l.stock_quantity - l.reserved_stock + l.backorder_limit, 0)), 0) AS available,
       v.version + COALESCE(SUM(l.version), 0) AS version,
       COALESCE(SUM(MAX(l.stock_quantity - l.reserved_stock + l.backorder_limit, 0)), 0) > 0 AS in_stock
FROM product_variants v
LEFT JOIN stock_levels l ON l.tenant_id = v.tenant_id AND l.variant_id = v.variant_id
GROUP BY v.tenant_id, v.variant_id;

CREATE VIEW product_stock AS
SELECT p.tenant_id, p.product_id,
       COALESCE(SUM(s.stock_quantity), 0) AS stock_quantity,
       COALESCE(SUM(s.reserved_stock), 0) AS reserved_stock,
       COALESCE(SUM(s.available), 0) AS available,
       p.version + COALESCE(SUM(s.version), 0) AS version,
       COALESCE(SUM(s.available), 0) > 0 AS in_stock
FROM products p
LEFT JOIN variant_stock s ON s.tenant_id = p.tenant_id AND s.product_id = p.product_id
GROUP BY p.tenant_id, p.product_id;
