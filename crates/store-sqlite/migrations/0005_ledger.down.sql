DROP TABLE ledger_transactions;
DROP TABLE ledger_entries;
ALTER TABLE payments DROP COLUMN earned;
ALTER TABLE refunds DROP COLUMN tax_amount;
