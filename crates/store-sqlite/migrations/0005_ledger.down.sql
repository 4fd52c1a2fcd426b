DROP TABLE ledger_transactions;
DROP TABLE ledger_entries;
ALTER TABLE refunds DROP COLUMN tax_amount;
