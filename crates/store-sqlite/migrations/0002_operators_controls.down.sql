-- Holds without a deadline get the seed's fifteen minutes from now; what operators did stays in
-- the journal, which an older program's audit then names.
UPDATE orders SET payment_expires_at = CAST(unixepoch('subsec') * 1000 AS INTEGER) + 900000
    WHERE status = 'pending' AND payment_expires_at IS NULL;
UPDATE stock_reservations SET expires_at = COALESCE(
    (SELECT o.payment_expires_at FROM orders o WHERE o.tenant_id = stock_reservations.tenant_id
        AND o.order_id = stock_reservations.order_id), updated_at)
    WHERE expires_at IS NULL;
CREATE TABLE stock_reservations_old (
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
INSERT INTO stock_reservations_old SELECT * FROM stock_reservations;
DROP TABLE stock_reservations;
ALTER TABLE stock_reservations_old RENAME TO stock_reservations;
CREATE UNIQUE INDEX idx_reservations_order_id
    ON stock_reservations (tenant_id, order_id, reservation_id);
CREATE INDEX idx_reservations_expires_at
    ON stock_reservations (expires_at, tenant_id, variant_id, order_id) WHERE status = 'active';
CREATE UNIQUE INDEX idx_active_reservation_per_order
    ON stock_reservations (tenant_id, order_id, variant_id, location_id) WHERE status = 'active';
ALTER TABLE orders DROP COLUMN on_hold_reason;
ALTER TABLE orders DROP COLUMN on_hold_by;
ALTER TABLE orders DROP COLUMN on_hold_since;
DROP INDEX idx_events_control;
ALTER TABLE lanes DROP COLUMN read_only_since;
ALTER TABLE lanes DROP COLUMN cleanup_paused_at;
ALTER TABLE lanes DROP COLUMN expiry_resumed_at;
ALTER TABLE lanes DROP COLUMN expiry_suspended_at;
