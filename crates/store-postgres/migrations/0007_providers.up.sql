-- Accounts with payment providers, their secrets sealed.
ALTER TABLE tenants ADD COLUMN payment_accounts TEXT NOT NULL DEFAULT '{}';

-- How far a payment has come with its provider, and with what it is paid. There was no provider to
-- ask before this step.
ALTER TABLE payments ADD COLUMN stage TEXT NOT NULL DEFAULT 'closed'
    CONSTRAINT payments_stage_known CHECK (stage IN ('intended', 'begun', 'closed'));
ALTER TABLE payments ADD COLUMN payment_url TEXT;
ALTER TABLE payments ADD COLUMN client_secret TEXT;

-- What was taken, and what the provider kept of it.
ALTER TABLE payments ADD COLUMN captured_amount BIGINT NOT NULL DEFAULT 0
    CONSTRAINT payments_captured_within CHECK (captured_amount BETWEEN 0 AND amount);
UPDATE payments SET captured_amount = amount
    WHERE status IN ('succeeded', 'partially_refunded', 'refunded');
ALTER TABLE payments ADD COLUMN fee_amount BIGINT NOT NULL DEFAULT 0
    CONSTRAINT payments_not_over_captured CHECK (refunded_amount <= captured_amount
        AND fee_amount BETWEEN 0 AND captured_amount);
CREATE INDEX idx_payments_open ON payments (tenant_id, payment_id) WHERE stage <> 'closed';
CREATE INDEX idx_payments_provider_payment_id ON payments (tenant_id, provider_payment_id)
    WHERE provider_payment_id IS NOT NULL AND provider NOT IN ('mock', 'manual');

-- Where a refund stands with its provider.
ALTER TABLE refunds ADD COLUMN status TEXT NOT NULL DEFAULT 'succeeded'
    CONSTRAINT refunds_status_known
    CHECK (status IN ('requested', 'pending', 'succeeded', 'failed'));
ALTER TABLE refunds ADD COLUMN provider_refund_id TEXT;
ALTER TABLE refunds ADD COLUMN failure_code TEXT;
ALTER TABLE refunds ADD COLUMN sent_at BIGINT;
ALTER TABLE refunds ADD COLUMN settled_at BIGINT;
-- What a refund put back on the shelf; all that it was for, where that was not kept.
ALTER TABLE refunds ADD COLUMN put_back TEXT;
UPDATE refunds r SET put_back = e.payload::jsonb->'refund'->>'put_back',
    settled_at = CASE WHEN e.payload::jsonb->'refund'->>'settled_at' IS NOT NULL
        THEN r.created_at END
FROM events e WHERE e.tenant_id = r.tenant_id AND e.order_id = r.order_id
    AND e.type = 'payment.refunded' AND (e.payload::jsonb->'refund'->>'id')::uuid = r.refund_id;
CREATE INDEX idx_refunds_open ON refunds (tenant_id, refund_id)
    WHERE status IN ('requested', 'pending');

-- Payments and refunds of all tenants with whose providers we are not through, behind an id.
CREATE FUNCTION stockhold_open(behind UUID, most BIGINT)
RETURNS TABLE (tenant_id UUID, payment_id UUID, refund_id UUID, begun BOOLEAN, ends_at BIGINT)
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    (SELECT p.tenant_id, p.payment_id, NULL::uuid, p.stage = 'begun',
        CASE WHEN p.status = 'pending' THEN p.expires_at ELSE 0 END FROM payments p
        WHERE p.stage <> 'closed' AND p.payment_id > behind ORDER BY p.payment_id LIMIT most)
    UNION ALL
    (SELECT r.tenant_id, r.payment_id, r.refund_id, r.status = 'pending', NULL::bigint FROM refunds r
        WHERE r.status IN ('requested', 'pending') AND r.refund_id > behind
        ORDER BY r.refund_id LIMIT most)
$$;
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION stockhold_open(UUID, BIGINT) SET search_path = %I, pg_temp',
        current_schema());
    REVOKE ALL ON FUNCTION stockhold_open(UUID, BIGINT) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION stockhold_open(UUID, BIGINT) TO stockhold_app;
END $$;
