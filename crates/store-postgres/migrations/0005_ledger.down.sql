DROP TABLE ledger_transactions;
DROP TABLE ledger_entries;
DROP FUNCTION stockhold_balances();
DROP FUNCTION stockhold_entries_complete();
ALTER TABLE payments DROP COLUMN earned;
ALTER TABLE refunds DROP COLUMN tax_amount;
