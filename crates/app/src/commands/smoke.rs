//! `stockhold smoke`: seed 000's smoke test of a running server: create-order, payment redirect,
//! webhook, and each of them again. It orders one unit and takes it back.

use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow, bail};
use engine::clock::{Clock as _, Entropy as _};
use outbound::client::Reply;
use outbound::standard_webhooks;
use serde_json::{Value, json};

use super::output;
use crate::cli::SmokeArgs;
use crate::clock::{SystemClock, SystemEntropy};
use crate::config::webhook_key;
use crate::remote::Remote;

/// The exit status when a shop only reads.
const READ_ONLY: u8 = 3;

/// A step that was tried: its name, and what went wrong if something did.
struct Step {
    name: &'static str,
    fault: Option<String>,
}

/// A server under test.
struct Smoke<'a> {
    args: &'a SmokeArgs,
    remote: Remote,
    steps: Vec<Step>,
    read_only: bool,
}

/// Exits 0 when all is well, 1 when something is not, 3 when the shop is read-only.
pub(crate) fn run(args: &SmokeArgs) -> Result<ExitCode> {
    let mut smoke = Smoke {
        args,
        remote: Remote::new(&args.url, &args.key)?,
        steps: Vec::new(),
        read_only: false,
    };
    smoke.all();
    let faulty = smoke.steps.iter().find(|step| step.fault.is_some());
    let verdict = match faulty {
        _ if smoke.read_only => {
            "READ-ONLY: reads go on, writes are refused; `stockhold read-only off` takes them again"
                .to_owned()
        }
        Some(step) => format!(
            "UNHEALTHY at {}: {}",
            step.name,
            step.fault.as_deref().unwrap_or_default()
        ),
        None => "HEALTHY".to_owned(),
    };
    if args.json {
        let step = |step: &Step| json!({"step": step.name, "ok": step.fault.is_none(), "fault": step.fault});
        let steps: Vec<_> = smoke.steps.iter().map(step).collect();
        let ok = faulty.is_none();
        output::line(
            &json!({"ok": ok, "read_only": smoke.read_only, "verdict": verdict, "steps": steps})
                .to_string(),
        );
    } else {
        for step in &smoke.steps {
            let (mark, why) = match &step.fault {
                None => ("ok  ", String::new()),
                Some(why) => ("FAIL", format!(": {why}")),
            };
            output::line(&format!("{mark} {}{why}", step.name));
        }
        output::line(&verdict);
    }
    Ok(match (smoke.read_only, faulty) {
        (true, _) => ExitCode::from(READ_ONLY),
        (false, Some(_)) => ExitCode::from(1),
        (false, None) => ExitCode::SUCCESS,
    })
}

impl Smoke<'_> {
    /// Runs a step, and keeps what it came to; `None` when what follows makes no sense.
    fn step<T>(
        &mut self,
        name: &'static str,
        work: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Option<T> {
        let done = work(self);
        let fault = done.as_ref().err().map(|error| format!("{error:#}"));
        self.steps.push(Step { name, fault });
        done.ok()
    }

    fn all(&mut self) {
        let Some(variant) = self.step("server is ready, catalogue is read", Self::ready) else {
            return;
        };
        let Some((body, key, first)) = self.step("create-order", |smoke| smoke.order(&variant))
        else {
            return;
        };
        self.step("create-order again, same key: the same order", |smoke| {
            smoke.order_again(&body, &key, &first)
        });
        self.step("payment redirect", |smoke| smoke.redirect(&first));
        let paid = self.step("webhook: the payment succeeds", |smoke| {
            smoke.webhook(&first)
        });
        if paid.is_some() {
            self.step("webhook again: applied once", |smoke| {
                smoke.webhook_again(&first)
            });
        }
        self.step("order is cancelled, unit and money go back", |smoke| {
            smoke.undo(&first)
        });
    }

    /// The variant to order.
    fn ready(&mut self) -> Result<String> {
        let reply = self.remote.raw(("GET", "/health/ready"), "", Vec::new())?;
        if reply.status != 200 {
            return Err(self.remote.problem(&reply));
        }
        if let Some(variant) = &self.args.variant {
            return Ok(variant.clone());
        }
        let products = self.remote.get("/products?limit=100")?;
        let all = products["data"].as_array().map_or(&[][..], Vec::as_slice);
        let variants = all
            .iter()
            .filter_map(|product| product["variants"].as_array())
            .flatten();
        let mut at_hand = variants.filter(|variant| variant["available"].as_i64() > Some(0));
        let found = at_hand.next().and_then(|variant| variant["id"].as_str());
        found
            .map(str::to_owned)
            .context("no product can be had; name one with --variant")
    }

    fn post(&mut self, path: &str, body: &Value) -> Result<Value> {
        let sent = self.remote.raw(
            ("POST", path),
            "application/json",
            body.to_string().into_bytes(),
        )?;
        self.read(&sent)
    }

    /// The JSON of a success; notes when writes are refused.
    fn read(&mut self, reply: &Reply) -> Result<Value> {
        let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        if (200..300).contains(&reply.status) {
            return Ok(body);
        }
        self.read_only |= body["code"] == "read_only";
        Err(self.remote.problem(reply))
    }

    fn order(&mut self, variant: &str) -> Result<(Value, String, Value)> {
        let cart = self.post(
            "/api/v1/cart",
            &json!({"customer_email": "smoke@example.invalid"}),
        )?;
        let id = text(&cart, "id");
        let line = json!({"variant_id": variant, "quantity": 1});
        self.post(&format!("/api/v1/cart/{id}/items"), &line)?;
        let body =
            json!({"cartId": id, "customerEmail": "smoke@example.invalid", "provider": "mock"});
        let key = format!("smoke-{:016x}", SystemEntropy.word());
        let reply = self.create(&body, &key)?;
        if reply.status != 201 {
            return Err(self.remote.problem(&reply));
        }
        let made = self.read(&reply)?;
        if text(&made, "orderId").is_empty() || text(&made, "paymentId").is_empty() {
            bail!("the answer names no order or no payment: {made}");
        }
        Ok((body, key, made))
    }

    fn create(&self, body: &Value, key: &str) -> Result<Reply> {
        let headers = [
            ("content-type", "application/json".to_owned()),
            ("idempotency-key", key.to_owned()),
        ];
        let path = ("POST", "/checkout/create-order");
        self.remote
            .with_headers(path, &headers, body.to_string().into_bytes())
    }

    fn order_again(&mut self, body: &Value, key: &str, first: &Value) -> Result<()> {
        let reply = self.create(body, key)?;
        let replayed = reply.header("idempotent-replayed") == Some("true");
        let again = self.read(&reply)?;
        if again["orderId"] != first["orderId"] {
            bail!("another order was made: {}", again["orderId"]);
        }
        if replayed {
            Ok(())
        } else {
            Err(anyhow!("the answer does not say that it is a replay"))
        }
    }

    fn redirect(&mut self, first: &Value) -> Result<()> {
        let url = text(first, "paymentUrl");
        if url.is_empty() {
            bail!("the answer has no paymentUrl");
        }
        let reply = self.remote.with_headers(("GET", &url), &[], Vec::new())?;
        match reply.status {
            200 | 302 | 303 => Ok(()),
            404 => bail!(
                "{url} is not served: the mock's page is for shops whose default provider it is"
            ),
            status => bail!("{url} answered {status}"),
        }
    }

    /// The provider's word that the payment succeeded: signed here with the given secret, or by
    /// the server's own mock.
    fn webhook(&mut self, first: &Value) -> Result<()> {
        self.deliver(first)?;
        let order = self
            .remote
            .get(&format!("/orders/{}", text(first, "orderId")))?;
        if order["payment_status"] == "paid" {
            return Ok(());
        }
        bail!("the order is {} after it", order["payment_status"])
    }

    fn deliver(&mut self, first: &Value) -> Result<()> {
        let Some(secret) = &self.args.webhook_secret else {
            let url = format!("{}/pay", text(first, "paymentUrl"));
            let reply = self.remote.with_headers(("POST", &url), &[], Vec::new())?;
            return self.read(&reply).map(|_| ());
        };
        let key = webhook_key(secret)?;
        let order = self
            .remote
            .get(&format!("/orders/{}", text(first, "orderId")))?;
        let payment = text(first, "paymentId");
        let body = json!({"type": "payment.succeeded", "data": {
            "payment_id": payment,
            "provider_payment_id": format!("smoke_{payment}"),
            "amount": order["total_amount"],
            "currency": order["currency"],
        }});
        let body = body.to_string().into_bytes();
        let id = format!("msg_smoke_{payment}");
        let headers = standard_webhooks::sign(&key, &id, SystemClock::new().now(), &body);
        let path = format!("/webhooks/{}/mock", text(&order, "business_id"));
        let reply = self.remote.with_headers(("POST", &path), &headers, body)?;
        if reply.status == 401 {
            bail!("refused as forged: the server's webhook secret is not the given one");
        }
        self.read(&reply).map(|_| ())
    }

    fn webhook_again(&mut self, first: &Value) -> Result<()> {
        self.deliver(first)?;
        let events = self.remote.get(&format!(
            "/orders/{}/events?limit=100",
            text(first, "orderId")
        ))?;
        let all = events["data"].as_array().map_or(&[][..], Vec::as_slice);
        let times = all
            .iter()
            .filter(|event| event["type"] == "payment.succeeded")
            .count();
        if times == 1 {
            Ok(())
        } else {
            Err(anyhow!("the payment was applied {times} times"))
        }
    }

    fn undo(&mut self, first: &Value) -> Result<()> {
        let path = format!("/api/v1/orders/{}", text(first, "orderId"));
        let reply = self
            .remote
            .raw(("DELETE", &path), "application/json", Vec::new())?;
        let order = self.read(&reply)?;
        if order["status"] == "cancelled" {
            Ok(())
        } else {
            Err(anyhow!("it is {}", order["status"]))
        }
    }
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}
