-- Messages of payment providers, verified, as they came.
CREATE TABLE webhook_events (
    tenant_id UUID NOT NULL,
    webhook_event_id UUID NOT NULL,
    provider TEXT NOT NULL,
    event_id TEXT NOT NULL,
    type TEXT NOT NULL,
    payment_id UUID,
    status TEXT NOT NULL CONSTRAINT webhook_events_status_known
        CHECK (status IN ('applied', 'ignored', 'dead')),
    code TEXT,
    attempts BIGINT NOT NULL,
    body BYTEA NOT NULL,
    received_at BIGINT NOT NULL,
    processed_at BIGINT NOT NULL,
    CONSTRAINT webhook_events_pk PRIMARY KEY (tenant_id, webhook_event_id),
    CONSTRAINT webhook_events_claimed_once UNIQUE (tenant_id, provider, event_id)
);
CREATE INDEX idx_webhook_events_received_at
    ON webhook_events (tenant_id, received_at, webhook_event_id);
CREATE INDEX idx_webhook_events_payment_id
    ON webhook_events (tenant_id, payment_id, received_at, webhook_event_id)
    WHERE payment_id IS NOT NULL;
CREATE INDEX idx_webhook_events_dead
    ON webhook_events (tenant_id, received_at, webhook_event_id) WHERE status = 'dead';
ALTER TABLE webhook_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_events FORCE ROW LEVEL SECURITY;
CREATE POLICY tenants_apart ON webhook_events USING (tenant_id =
    (SELECT NULLIF(current_setting('stockhold.tenant', true), '')::uuid));
CREATE POLICY owner_sees_all ON webhook_events TO CURRENT_USER USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_events TO stockhold_app;
