DROP INDEX idx_products_handle;
ALTER TABLE products DROP COLUMN handle;
