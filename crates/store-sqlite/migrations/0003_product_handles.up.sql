-- The name by which a product is known outside, such as in an import's file.
ALTER TABLE products ADD COLUMN handle TEXT;
-- Handles of a shop that had been here before; a new one has none in its journal.
UPDATE products SET handle = found.handle FROM (
    SELECT tenant_id, json_extract(payload, '$.product.id') AS product_id,
        json_extract(payload, '$.product.handle') AS handle, MAX(seq)
    FROM events WHERE type = 'product.saved' GROUP BY 1, 2
) AS found WHERE found.tenant_id = products.tenant_id AND found.product_id = products.product_id;
CREATE UNIQUE INDEX idx_products_handle ON products (tenant_id, handle) WHERE handle IS NOT NULL;
