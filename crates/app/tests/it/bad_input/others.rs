//! Bad requests about carts, stock, payments, settings and products.

use serde_json::json;

use super::{Facts, UNKNOWN};

impl Facts {
    /// Carts, stock, payments and settings.
    pub(super) fn others(&mut self) {
        let invalid = (422, "validation_failed");
        let (cart, variant, order) = (self.cart.clone(), self.variant.clone(), self.order.clone());
        let items = format!("/cart/{cart}/items");
        for body in [
            json!({}),
            json!({"quantity": 1}),
            json!({"variant_id": variant}),
            json!({"variant_id": variant, "quantity": 0}),
            json!({"variant_id": variant, "quantity": 1_000_001}),
            json!({"variant_id": UNKNOWN, "quantity": 1}),
            json!({"sku": "NO", "quantity": 1}),
        ] {
            self.case("POST", &items, body, invalid);
        }
        self.case(
            "POST",
            &items,
            json!({"sku": "PHP-1", "quantity": 1}),
            (422, "currency_mismatch"),
        );
        for body in [
            json!({"currency": "eur"}),
            json!({"currency": "XXX"}),
            json!({"currency": "EURO"}),
            json!({"customer_email": "x"}),
            json!({"items": []}),
        ] {
            self.case("POST", "/cart", body, invalid);
        }
        let checkout = "/checkout/create-order";
        for body in [
            json!({"cartId": cart}),
            json!({"cartId": "x", "customerEmail": "a@b.c"}),
            json!({"cartId": UNKNOWN, "customerEmail": "a@b.c"}),
            json!({"cart_id": cart, "customer_email": "a@b.c"}),
            json!({"cartId": cart, "customerEmail": "a@b.c", "provider": "bitcoin"}),
            json!({"cartId": cart, "customerEmail": "a@b.c", "returnUrl": "javascript:alert(1)"}),
        ] {
            self.case("POST", checkout, body, invalid);
        }
        let empty = json!({"cartId": self.cart, "customerEmail": "a@b.c"});
        self.case("POST", checkout, empty, (409, "cart_empty"));
        for body in [
            json!({"variant_id": variant, "stock_quantity": -1}),
            json!({"variant_id": variant, "stock_quantity": 1_000_000_001}),
            json!({"variant_id": variant, "backorder_limit": -1}),
            json!({"variant_id": UNKNOWN, "stock_quantity": 1}),
            json!({"variant_id": variant, "location_id": UNKNOWN, "stock_quantity": 1}),
            json!({"stock_quantity": 1}),
        ] {
            self.case("PUT", "/stock", body, invalid);
        }
        self.case(
            "PUT",
            "/stock",
            json!({"variant_id": variant, "stock_quantity": 0}),
            (409, "insufficient_stock"),
        );
        self.case(
            "PUT",
            "/stock",
            json!({"variant_id": variant, "version": 999}),
            (409, "version_conflict"),
        );
        for (delta, reason) in [(0, "x"), (1_000_000_001, "x"), (1, "")] {
            let body = json!({"variant_id": variant, "delta": delta, "reason": reason});
            self.case("POST", "/stock/adjustments", body, invalid);
        }
        let most = json!({"variant_id": variant, "delta": 1_000_000_000, "reason": "x"});
        self.case("POST", "/stock/adjustments", most, invalid);
        let taken = json!({"variant_id": variant, "delta": -1_000_000, "reason": "x"});
        self.case(
            "POST",
            "/stock/adjustments",
            taken,
            (409, "insufficient_stock"),
        );
        let payment = format!("/payments/{}/refunds", self.payment);
        for body in [
            json!({"amount": 0}),
            json!({"amount": -1}),
            json!({"items": []}),
            json!({"items": [{"order_item_id": UNKNOWN, "quantity": 1}]}),
            json!({"all": true}),
        ] {
            self.case("POST", &payment, body, invalid);
        }
        self.case(
            "POST",
            &payment,
            json!({"amount": 1}),
            (409, "invalid_state"),
        );
        for body in [
            json!({}),
            json!({"payment_method": "b"}),
            json!({"payment_method": "", "payment_reference": "r"}),
            json!({"payment_method": "b", "payment_reference": "r", "amount": -1}),
        ] {
            self.case("PATCH", &format!("/orders/{order}/payment"), body, invalid);
        }
        let short = json!({"payment_method": "b", "payment_reference": "r", "amount": 1});
        self.case(
            "PATCH",
            &format!("/orders/{order}/payment"),
            short,
            (422, "amount_mismatch"),
        );
        for body in [json!({}), json!({"status": "lost"}), json!({"status": 1})] {
            self.case("PATCH", &format!("/orders/{order}/status"), body, invalid);
        }
        let locked = format!("/orders/{}", self.locked);
        self.case(
            "PATCH",
            &locked,
            json!({"discount_amount": 1}),
            (409, "order_locked"),
        );
        self.case(
            "POST",
            &format!("{locked}/lock"),
            "",
            (409, "order_already_locked"),
        );
        for body in [
            json!({"payment_timeout_minutes": 0}),
            json!({"payment_timeout_minutes": 43_201}),
            json!({"tax_rate_bps": 10_001}),
            json!({"stock_mode": "magic"}),
            json!({"default_provider": "bitcoin"}),
            json!({"default_currency": "XXX"}),
            json!({"payment_timeout_by_tier": {"vip": 0}}),
            json!({"unknown": 1}),
        ] {
            self.case("PUT", "/settings", body, invalid);
        }
        for body in [
            json!({"title": "x"}),
            json!({"title": "", "unit_price": 1}),
            json!({"title": "x", "unit_price": -1}),
            json!({"title": "x", "variants": []}),
            json!({"title": "x", "unit_price": 1, "variants": [{"unit_price": 1}]}),
            json!({"title": "x", "currency": "ABC", "unit_price": 1}),
            json!({"title": "x", "variants": [{"sku": "D", "unit_price": 1}, {"sku": "D", "unit_price": 1}]}),
            json!({"title": "x", "unit_price": 1, "sku": "TEE-M"}),
        ] {
            self.case("POST", "/products", body, invalid);
        }
        self.case("POST", "/locations", json!({"code": "default"}), invalid);
    }
}
