-- Whether a payment's money paid its order.
ALTER TABLE payments ADD COLUMN earned INTEGER NOT NULL DEFAULT 0;
UPDATE payments SET earned = EXISTS (SELECT 1 FROM events e
    WHERE e.tenant_id = payments.tenant_id AND e.order_id = payments.order_id
    AND e.type = 'order.paid' AND json_extract(e.payload, '$.payment_id') = payments.payment_id);

-- How much of a refund is tax.
ALTER TABLE refunds ADD COLUMN tax_amount INTEGER NOT NULL DEFAULT 0
    CONSTRAINT refunds_tax_within CHECK (tax_amount BETWEEN 0 AND amount);
UPDATE refunds SET tax_amount = COALESCE((SELECT json_extract(e.payload, '$.refund.tax_amount')
    FROM events e WHERE e.tenant_id = refunds.tenant_id AND e.order_id = refunds.order_id
    AND e.type = 'payment.refunded'
    AND json_extract(e.payload, '$.refund.id') = refunds.refund_id), 0);

-- Double entry, append-only. Entries are written first: a transaction is taken only if it balances,
-- and nothing can be added to it.
CREATE TABLE ledger_entries (
    tenant_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    position INTEGER NOT NULL,
    account TEXT NOT NULL,
    currency TEXT NOT NULL,
    debit INTEGER NOT NULL,
    credit INTEGER NOT NULL,
    CONSTRAINT ledger_entries_pk PRIMARY KEY (tenant_id, seq, position),
    CONSTRAINT ledger_entries_account_once UNIQUE (tenant_id, seq, account),
    CONSTRAINT ledger_entries_one_side CHECK (debit >= 0 AND credit >= 0
        AND (debit = 0) <> (credit = 0))
) STRICT, WITHOUT ROWID;
CREATE TABLE ledger_transactions (
    tenant_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    reference TEXT NOT NULL,
    order_id TEXT NOT NULL,
    payment_id TEXT NOT NULL,
    currency TEXT NOT NULL,
    CONSTRAINT ledger_transactions_pk PRIMARY KEY (tenant_id, seq),
    CONSTRAINT ledger_transactions_reference_once UNIQUE (tenant_id, reference)
) STRICT, WITHOUT ROWID;
CREATE INDEX idx_ledger_transactions_order_id ON ledger_transactions (tenant_id, order_id, seq);

-- What was booked before there were tables: it follows from the journal.
CREATE TEMP VIEW came AS
SELECT e.tenant_id, e.seq, e.at, e.type, r.refund_id, r.amount AS back, r.tax_amount AS tax_back,
    p.payment_id, p.order_id, 'cash:' || p.provider AS cash, p.currency, p.amount,
    o.total_amount, o.tax_amount, o.shipping_fee, o.discount_amount,
    p.earned
FROM events e
LEFT JOIN refunds r ON e.type = 'payment.refunded' AND r.tenant_id = e.tenant_id
    AND r.refund_id = json_extract(e.payload, '$.refund.id')
JOIN payments p ON p.tenant_id = e.tenant_id
    AND p.payment_id = COALESCE(r.payment_id, json_extract(e.payload, '$.payment_id'))
JOIN orders o ON o.tenant_id = e.tenant_id AND o.order_id = p.order_id
WHERE e.type IN ('payment.succeeded', 'payment.refunded');
INSERT INTO ledger_entries (tenant_id, seq, position, account, currency, debit, credit)
SELECT tenant_id, seq, row_number() OVER (PARTITION BY tenant_id, seq ORDER BY place) - 1,
    account, currency, debit, credit
FROM (
    SELECT tenant_id, seq, 1 AS place, cash AS account, currency, amount AS debit, 0 AS credit
    FROM came WHERE type = 'payment.succeeded'
    UNION ALL SELECT tenant_id, seq, 2, 'revenue', currency,
        max(tax_amount + shipping_fee - discount_amount - total_amount, 0),
        max(total_amount - tax_amount - shipping_fee + discount_amount, 0)
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
) WHERE debit > 0 OR credit > 0;
INSERT INTO ledger_transactions (tenant_id, seq, at, reference, order_id, payment_id, currency)
SELECT tenant_id, seq, at, CASE WHEN refund_id IS NULL THEN 'payment_confirmed:' || payment_id
    ELSE 'refund:' || refund_id END, order_id, payment_id, currency
FROM came WHERE EXISTS (SELECT 1 FROM ledger_entries n
    WHERE n.tenant_id = came.tenant_id AND n.seq = came.seq);
DROP VIEW came;

CREATE TRIGGER ledger_transactions_balance BEFORE INSERT ON ledger_transactions
WHEN (SELECT COUNT(*) < 2 OR SUM(debit) <> SUM(credit) OR SUM(currency <> new.currency) > 0
    FROM ledger_entries e WHERE e.tenant_id = new.tenant_id AND e.seq = new.seq)
BEGIN
    SELECT RAISE(ABORT, 'ledger_transactions_balance: debits are not credits');
END;
CREATE TRIGGER ledger_entries_complete BEFORE INSERT ON ledger_entries
WHEN EXISTS (SELECT 1 FROM ledger_transactions t
    WHERE t.tenant_id = new.tenant_id AND t.seq = new.seq)
BEGIN
    SELECT RAISE(ABORT, 'ledger_entries_complete: the transaction is booked');
END;
CREATE TRIGGER ledger_transactions_kept BEFORE UPDATE ON ledger_transactions
BEGIN
    SELECT RAISE(ABORT, 'ledger_transactions_kept: the ledger is append-only');
END;
CREATE TRIGGER ledger_transactions_stay BEFORE DELETE ON ledger_transactions
BEGIN
    SELECT RAISE(ABORT, 'ledger_transactions_stay: the ledger is append-only');
END;
CREATE TRIGGER ledger_entries_kept BEFORE UPDATE ON ledger_entries
BEGIN
    SELECT RAISE(ABORT, 'ledger_entries_kept: the ledger is append-only');
END;
CREATE TRIGGER ledger_entries_stay BEFORE DELETE ON ledger_entries
BEGIN
    SELECT RAISE(ABORT, 'ledger_entries_stay: the ledger is append-only');
END;
