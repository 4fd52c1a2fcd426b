//! Bad bodies of orders, and what is no body at all.

use serde_json::json;

use super::{Facts, UNKNOWN};

impl Facts {
    /// Bodies of `POST /orders` that are at fault.
    pub(super) fn orders(&mut self) {
        let invalid = (422, "validation_failed");
        let variant = self.variant.clone();
        for quantity in [
            "0",
            "-1",
            "-0",
            "1000001",
            "1.5",
            "1.0",
            "1e3",
            "\"1\"",
            "null",
            "true",
            "[]",
            "{}",
            "9223372036854775807",
            "9223372036854775808",
            "-9223372036854775809",
            "1e400",
        ] {
            let body = format!(
                r#"{{"customer_id":"c","items":[{{"variant_id":"{variant}","quantity":{quantity}}}]}}"#
            );
            self.case("POST", "/orders", body, invalid);
        }
        let line = json!({"variant_id": variant, "quantity": 1});
        for (name, value) in [
            ("items", json!([])),
            ("items", json!(vec![line.clone(); 101])),
            ("items", json!("x")),
            ("items", json!({})),
            ("items", json!([1])),
            ("items", json!([null])),
            ("items", json!([{"quantity": 1}])),
            ("items", json!([{"variant_id": UNKNOWN, "quantity": 1}])),
            ("items", json!([{"product_id": UNKNOWN, "quantity": 1}])),
            ("items", json!([{"sku": "NO-SUCH-SKU", "quantity": 1}])),
            ("items", json!([{"sku": "", "quantity": 1}])),
            ("items", json!([{"sku": "s".repeat(101), "quantity": 1}])),
            (
                "items",
                json!([{"variant_id": "not-a-uuid", "quantity": 1}]),
            ),
            ("items", json!([{"variant_id": 7, "quantity": 1}])),
            (
                "items",
                json!([{"variant_id": variant, "product_id": UNKNOWN, "quantity": 1}]),
            ),
            (
                "items",
                json!([{"variant_id": variant, "sku": "TEE-M", "quantity": 1}]),
            ),
            (
                "items",
                json!([{"variant_id": variant, "quantity": 1, "price": 1}]),
            ),
            (
                "items",
                json!([{"variant_id": variant, "quantity": 1, "location_id": UNKNOWN}]),
            ),
            (
                "items",
                json!([{"variant_id": variant, "quantity": 1, "discount": -1}]),
            ),
            (
                "items",
                json!([{"variant_id": variant, "quantity": 1, "discount": 1001}]),
            ),
            ("customer_id", json!("")),
            ("customer_id", json!("c".repeat(65))),
            ("customer_id", json!(7)),
            ("customer_id", json!("nul\u{0}byte")),
            ("customer_email", json!("no-at-sign")),
            ("customer_email", json!("a b@c")),
            ("customer_email", json!(format!("{}@b.c", "a".repeat(260)))),
            ("discount_amount", json!(-1)),
            ("discount_amount", json!(1_001)),
            ("discount_amount", json!(1_000_000_000_000_001_i64)),
            ("tax_amount", json!(-5)),
            ("tax_amount", json!("5")),
            ("shipping_fee", json!(0.5)),
            ("draft", json!("yes")),
            ("draft", json!(1)),
            ("notes", json!("n".repeat(2_001))),
            ("notes", json!(["n"])),
            ("shipping_city", json!("\u{0}")),
            ("payment_method", json!("")),
            ("status", json!("paid")),
            ("id", json!(UNKNOWN)),
            ("total_amount", json!(1)),
            ("created_at", json!("2020-01-01T00:00:00Z")),
            ("__proto__", json!({"admin": true})),
            ("is_admin", json!(true)),
        ] {
            let mut body = json!({"customer_id": "c", "items": [line]});
            body[name] = value;
            self.case("POST", "/orders", body, invalid);
        }
        self.case("POST", "/orders", json!({"items": [line]}), invalid);
        self.case("POST", "/orders", json!({"customer_id": "c"}), invalid);
        self.case(
            "POST",
            "/orders",
            json!({"customer_id": null, "items": [line]}),
            invalid,
        );
        let body = r#"{"customer_id":"c","customer_id":"d","items":[]}"#;
        self.case("POST", "/orders", body, invalid);
        let huge = format!(
            r#"{{"customer_id":"c","discount_amount":{},"items":[]}}"#,
            "9".repeat(400)
        );
        self.case("POST", "/orders", huge, invalid);
        let dear = json!({"customer_id": "c", "tax_amount": 1_000_000_000_000_000_i64,
            "shipping_fee": 1_000_000_000_000_000_i64, "items": [line]});
        self.case("POST", "/orders", dear, invalid);
        for other in [UNKNOWN, "x", ""] {
            let body = json!({"customer_id": "c", "business_id": other, "items": [line]});
            self.case("POST", "/orders", body, (403, "tenant_mismatch"));
        }
        let body =
            json!({"customer_id": "c", "items": [{"variant_id": variant, "quantity": 1_000_000}]});
        self.case("POST", "/orders", body, (409, "insufficient_stock"));
        let mixed = json!({"customer_id": "c", "items": [line, {"sku": "PHP-1", "quantity": 1}]});
        self.case("POST", "/orders", mixed, (422, "currency_mismatch"));
    }

    /// What is no JSON, too long, of another type, or not there.
    pub(super) fn bodies(&mut self) {
        let malformed = (400, "malformed_request");
        for body in [
            "",
            "{",
            "}",
            "nul",
            "{'a':1}",
            "{\"a\":1,}",
            "[1,2",
            "NaN",
            "Infinity",
            "{} {}",
            "\u{feff}{}",
            "<xml/>",
            "customer_id=c",
            "\"unterminated",
        ] {
            self.case("POST", "/orders", body, malformed);
        }
        self.case("POST", "/orders", "[".repeat(100_000), malformed);
        self.case("POST", "/orders", r#"{"a":"#.repeat(20_000), malformed);
        for body in ["[]", "1", "\"x\"", "null", "true"] {
            self.case("POST", "/orders", body, (422, "validation_failed"));
        }
        let long = format!(r#"{{"notes":"{}"}}"#, "n".repeat(300_000));
        self.case("POST", "/orders", long, (413, "body_too_large"));
        for kind in [
            "text/plain",
            "application/xml",
            "multipart/form-data",
            "text/json",
        ] {
            self.case("POST", "/orders", "{}", (415, "unsupported_media_type"));
            self.last().headers.push(("content-type", kind.to_owned()));
        }
        for key in ["", "a b", "\"\"", "k\u{e9}y"] {
            self.case("POST", "/cart", "{}", malformed);
            self.last()
                .headers
                .push(("idempotency-key", key.to_owned()));
        }
        self.case("POST", "/cart", "{}", malformed);
        self.last()
            .headers
            .push(("idempotency-key", "k".repeat(256)));
        for path in [
            "/orders",
            "/products",
            "/checkout/create-order",
            "/stock/adjustments",
            "/locations",
        ] {
            self.case("POST", path, "", malformed);
        }
    }
}
