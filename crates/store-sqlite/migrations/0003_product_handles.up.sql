-- The name by which a product is known outside, such as in an import's file.
ALTER TABLE products ADD COLUMN handle TEXT;
CREATE UNIQUE INDEX idx_products_handle ON products (tenant_id, handle) WHERE handle IS NOT NULL;
