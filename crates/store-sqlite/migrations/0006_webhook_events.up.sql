-- Messages of payment providers, verified, as they came.
CREATE TABLE webhook_events (
    tenant_id TEXT NOT NULL,
    webhook_event_id TEXT NOT NULL,
    provider TEXT NOT NULL,
    event_id TEXT NOT NULL,
    type TEXT NOT NULL,
    payment_id TEXT,
    status TEXT NOT NULL CONSTRAINT webhook_events_status_known
        CHECK (status IN ('applied', 'ignored', 'dead')),
    code TEXT,
    attempts INTEGER NOT NULL,
    body BLOB NOT NULL,
    received_at INTEGER NOT NULL,
    processed_at INTEGER NOT NULL,
    CONSTRAINT webhook_events_pk PRIMARY KEY (tenant_id, webhook_event_id),
    CONSTRAINT webhook_events_claimed_once UNIQUE (tenant_id, provider, event_id)
) STRICT;
CREATE INDEX idx_webhook_events_received_at
    ON webhook_events (tenant_id, received_at, webhook_event_id);
CREATE INDEX idx_webhook_events_payment_id
    ON webhook_events (tenant_id, payment_id, received_at, webhook_event_id)
    WHERE payment_id IS NOT NULL;
CREATE INDEX idx_webhook_events_dead
    ON webhook_events (tenant_id, received_at, webhook_event_id) WHERE status = 'dead';
