-- Fails while a lever is pulled, an order is on hold, or a live hold has no deadline: what the
-- older program cannot keep must be released first. What operators did stays in the journal,
-- which an older program's audit then names.
CREATE TABLE levers_that_stand (
    n INTEGER CONSTRAINT release_every_lever_and_order_first CHECK (n = 0)
) STRICT;
INSERT INTO levers_that_stand SELECT count(*) FROM lanes WHERE expiry_suspended_at IS NOT NULL
    OR cleanup_paused_at IS NOT NULL OR read_only_since IS NOT NULL;
INSERT INTO levers_that_stand SELECT count(*) FROM orders WHERE on_hold_since IS NOT NULL;
INSERT INTO levers_that_stand SELECT count(*) FROM stock_reservations
    WHERE status = 'active' AND expires_at IS NULL;
DROP TABLE levers_that_stand;
-- An ended hold that never had a deadline: 9999-12-31.
UPDATE stock_reservations SET expires_at = 253402300799000 WHERE expires_at IS NULL;

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
