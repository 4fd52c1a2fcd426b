-- Where a tenant's controls stand: NULL where one stands as it usually does.
ALTER TABLE lanes ADD COLUMN expiry_suspended_at INTEGER;
ALTER TABLE lanes ADD COLUMN expiry_resumed_at INTEGER;
ALTER TABLE lanes ADD COLUMN cleanup_paused_at INTEGER;
ALTER TABLE lanes ADD COLUMN read_only_since INTEGER;
CREATE INDEX idx_events_control ON events (tenant_id, seq) WHERE type = 'control.moved';

-- An order that an operator keeps where it is.
ALTER TABLE orders ADD COLUMN on_hold_since INTEGER;
ALTER TABLE orders ADD COLUMN on_hold_by TEXT;
ALTER TABLE orders ADD COLUMN on_hold_reason TEXT;

-- A hold without a deadline: expiry is suspended, or its order is on hold. SQLite takes NOT NULL
-- away by building the table anew.
CREATE TABLE stock_reservations_new (
    tenant_id TEXT NOT NULL,
    reservation_id TEXT NOT NULL,
    order_id TEXT NOT NULL,
    product_id TEXT NOT NULL,
    variant_id TEXT NOT NULL,
    location_id TEXT NOT NULL,
    quantity INTEGER NOT NULL CONSTRAINT stock_reservations_quantity_positive CHECK (quantity > 0),
    deducted INTEGER NOT NULL,
    reserved_at INTEGER NOT NULL,
    expires_at INTEGER,
    status TEXT NOT NULL CONSTRAINT stock_reservations_status_known CHECK (status IN
        ('active', 'converted', 'expired', 'cancelled')),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
INSERT INTO stock_reservations_new SELECT * FROM stock_reservations;
DROP TABLE stock_reservations;
ALTER TABLE stock_reservations_new RENAME TO stock_reservations;
CREATE UNIQUE INDEX idx_reservations_order_id
    ON stock_reservations (tenant_id, order_id, reservation_id);
CREATE INDEX idx_reservations_expires_at
    ON stock_reservations (tenant_id, expires_at, order_id, variant_id) WHERE status = 'active';
CREATE UNIQUE INDEX idx_active_reservation_per_order
    ON stock_reservations (tenant_id, order_id, variant_id, location_id) WHERE status = 'active';

-- What the way back had to leave out, for a shop that goes up again.
UPDATE stock_reservations SET expires_at = NULL WHERE expires_at = 253402300799000;
UPDATE lanes SET expiry_resumed_at = (SELECT MAX(e.at) FROM events e
    WHERE e.tenant_id = lanes.tenant_id AND e.type = 'control.moved'
        AND json_extract(e.payload, '$.control') = 'expiry_running');
