-- Whether a payment's money paid its order.
ALTER TABLE payments ADD COLUMN earned BOOLEAN NOT NULL DEFAULT false;
UPDATE payments SET earned = EXISTS (SELECT 1 FROM events e
    WHERE e.tenant_id = payments.tenant_id AND e.order_id = payments.order_id
    AND e.type = 'order.paid' AND (e.payload::jsonb->>'payment_id')::uuid = payments.payment_id);

-- How much of a refund is tax.
ALTER TABLE refunds ADD COLUMN tax_amount BIGINT NOT NULL DEFAULT 0
    CONSTRAINT refunds_tax_within CHECK (tax_amount BETWEEN 0 AND amount);
UPDATE refunds r SET tax_amount = (e.payload::jsonb->'refund'->>'tax_amount')::bigint
FROM events e WHERE e.tenant_id = r.tenant_id AND e.order_id = r.order_id
    AND e.type = 'payment.refunded' AND (e.payload::jsonb->'refund'->>'id')::uuid = r.refund_id
    AND e.payload::jsonb->'refund' ? 'tax_amount';

-- Double entry, append-only. Entries are written first: a transaction is taken only if it balances,
-- and nothing can be added to it.
CREATE TABLE ledger_entries (
    tenant_id UUID NOT NULL,
    seq BIGINT NOT NULL,
    position BIGINT NOT NULL,
    account TEXT NOT NULL,
    currency TEXT NOT NULL,
    debit BIGINT NOT NULL,
    credit BIGINT NOT NULL,
    CONSTRAINT ledger_entries_pk PRIMARY KEY (tenant_id, seq, position),
    CONSTRAINT ledger_entries_account_once UNIQUE (tenant_id, seq, account),
    CONSTRAINT ledger_entries_one_side CHECK (debit >= 0 AND credit >= 0
        AND (debit = 0) <> (credit = 0))
);
CREATE TABLE ledger_transactions (
    tenant_id UUID NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    reference TEXT NOT NULL,
    order_id UUID NOT NULL,
    payment_id UUID NOT NULL,
    currency TEXT NOT NULL,
    CONSTRAINT ledger_transactions_pk PRIMARY KEY (tenant_id, seq),
    CONSTRAINT ledger_transactions_reference_once UNIQUE (tenant_id, reference)
);
CREATE INDEX idx_ledger_transactions_order_id ON ledger_transactions (tenant_id, order_id, seq);

-- What was booked before there were tables: it follows from the journal.
CREATE TEMP VIEW came AS
SELECT e.tenant_id, e.seq, e.at, e.type, r.refund_id, r.amount AS back, r.tax_amount AS tax_back,
    p.payment_id, p.order_id, 'cash:' || p.provider AS cash, p.currency, p.amount,
    o.total_amount, o.tax_amount, o.shipping_fee, o.discount_amount,
    p.earned
FROM events e
LEFT JOIN refunds r ON e.type = 'payment.refunded' AND r.tenant_id = e.tenant_id
    AND r.refund_id = (e.payload::jsonb->'refund'->>'id')::uuid
JOIN payments p ON p.tenant_id = e.tenant_id
    AND p.payment_id = COALESCE(r.payment_id, (e.payload::jsonb->>'payment_id')::uuid)
JOIN orders o ON o.tenant_id = e.tenant_id AND o.order_id = p.order_id
WHERE e.type IN ('payment.succeeded', 'payment.refunded');
INSERT INTO ledger_entries (tenant_id, seq, position, account, currency, debit, credit)
SELECT tenant_id, seq, row_number() OVER (PARTITION BY tenant_id, seq ORDER BY place) - 1,
    account, currency, debit, credit
FROM (
    SELECT tenant_id, seq, 1 AS place, cash AS account, currency, amount AS debit, 0 AS credit
    FROM came WHERE type = 'payment.succeeded'
    UNION ALL SELECT tenant_id, seq, 2, 'revenue', currency,
        greatest(tax_amount + shipping_fee - discount_amount - total_amount, 0),
        greatest(total_amount - tax_amount - shipping_fee + discount_amount, 0)
    FROM came WHERE type = 'payment.succeeded' AND earned
    UNION ALL SELECT tenant_id, seq, 3, 'shipping_revenue', currency, 0, shipping_fee
    FROM came WHERE type = 'payment.succeeded' AND earned
    UNION ALL SELECT tenant_id, seq, 4, 'tax_payable', currency, 0, tax_amount
    FROM came WHERE type = 'payment.succeeded' AND earned
    UNION ALL SELECT tenant_id, seq, 5, 'discounts', currency, discount_amount, 0
    FROM came WHERE type = 'payment.succeeded' AND earned
    UNION ALL SELECT tenant_id, seq, 7, 'customer_credit', currency, 0, amount
    FROM came WHERE type = 'payment.succeeded' AND NOT earned
    UNION ALL SELECT tenant_id, seq, 1, cash, currency, 0, back
    FROM came WHERE type = 'payment.refunded'
    UNION ALL SELECT tenant_id, seq, 4, 'tax_payable', currency, tax_back, 0
    FROM came WHERE type = 'payment.refunded' AND earned
    UNION ALL SELECT tenant_id, seq, 6, 'refunds', currency, back - tax_back, 0
    FROM came WHERE type = 'payment.refunded' AND earned
    UNION ALL SELECT tenant_id, seq, 7, 'customer_credit', currency, back, 0
    FROM came WHERE type = 'payment.refunded' AND NOT earned
) AS booked WHERE debit > 0 OR credit > 0;
INSERT INTO ledger_transactions (tenant_id, seq, at, reference, order_id, payment_id, currency)
SELECT tenant_id, seq, at, CASE WHEN refund_id IS NULL THEN 'payment_confirmed:' || payment_id
    ELSE 'refund:' || refund_id END, order_id, payment_id, currency
FROM came WHERE EXISTS (SELECT FROM ledger_entries n
    WHERE n.tenant_id = came.tenant_id AND n.seq = came.seq);
DROP VIEW came;

CREATE FUNCTION stockhold_balances() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM booked b CROSS JOIN LATERAL (
        SELECT count(*) < 2 OR sum(e.debit) <> sum(e.credit)
            OR bool_or(e.currency <> b.currency) AS wrong
        FROM ledger_entries e WHERE e.tenant_id = b.tenant_id AND e.seq = b.seq) AS s
        WHERE s.wrong)
    THEN
        RAISE EXCEPTION 'ledger_transactions_balance: debits are not credits'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION stockhold_entries_complete() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM added a CROSS JOIN LATERAL (SELECT FROM ledger_transactions t
        WHERE t.tenant_id = a.tenant_id AND t.seq = a.seq OFFSET 0) AS s)
    THEN
        RAISE EXCEPTION 'ledger_entries_complete: the transaction is booked'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
DO $$
DECLARE
    part TEXT;
BEGIN
    FOREACH part IN ARRAY ARRAY['stockhold_balances', 'stockhold_entries_complete'] LOOP
        EXECUTE format('ALTER FUNCTION %I() SET search_path = %I, pg_temp', part,
            current_schema());
        EXECUTE format('REVOKE ALL ON FUNCTION %I() FROM PUBLIC', part);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %I() TO stockhold_app', part);
    END LOOP;
    FOREACH part IN ARRAY ARRAY['ledger_entries', 'ledger_transactions'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', part);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', part);
        EXECUTE format('CREATE POLICY tenants_apart ON %I USING (tenant_id = '
            '(SELECT NULLIF(current_setting(''stockhold.tenant'', true), '''')::uuid))', part);
        EXECUTE format('CREATE POLICY owner_sees_all ON %I TO CURRENT_USER USING (true)', part);
        -- Append-only.
        EXECUTE format('GRANT SELECT, INSERT ON %I TO stockhold_app', part);
    END LOOP;
END $$;
CREATE TRIGGER ledger_transactions_balance AFTER INSERT ON ledger_transactions
REFERENCING NEW TABLE AS booked FOR EACH STATEMENT EXECUTE FUNCTION stockhold_balances();
CREATE TRIGGER ledger_entries_complete AFTER INSERT ON ledger_entries
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION stockhold_entries_complete();
