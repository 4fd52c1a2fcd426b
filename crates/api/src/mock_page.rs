//! The mock provider's hosted page: real buttons, and a notification like a real provider's.

use std::sync::Arc;

use axum::http::HeaderValue;
use axum::http::header::LOCATION;
use axum::response::Response;
use domain::ids::{PaymentId, TenantId};
use domain::payment::{Payment, Provider};
use engine::provider::MockAction;
use percent_encoding::{CONTROLS, utf8_percent_encode};
use serde_json::Value;

use crate::services::Services;
use crate::{reading, respond};

/// What each button says.
const fn label(action: MockAction) -> &'static str {
    match action {
        MockAction::Pay => "Pay",
        MockAction::Fail => "Decline",
        MockAction::Abandon => "Leave without paying",
        MockAction::Late => "Pay, but tell the shop only after its hold has ended",
        MockAction::Timeout => "Never answer",
        MockAction::Duplicate => "Pay, and tell the shop three times",
    }
}

/// The page of a payment.
pub(crate) fn render(tenant: TenantId, payment: &Payment) -> String {
    let buttons: String = MockAction::ALL
        .iter()
        .map(|(name, action)| {
            format!(
                "<form method=\"post\" action=\"/mock-provider/{tenant}/{}/{name}\">\
                 <button id=\"{name}\">{}</button></form>\n",
                payment.id,
                label(*action)
            )
        })
        .collect();
    format!(
        include_str!("pages/mock.html"),
        amount = payment.amount,
        currency = payment.currency,
        reference = payment.provider_reference,
        status = payment.status.name(),
        buttons = buttons
    )
}

/// The payer of a payment that was just started does what the configuration says, if it is the
/// mock's.
pub(crate) fn play(services: &Arc<Services>, tenant: TenantId, answer: &[u8]) {
    let Some(action) = services.mock_outcome else {
        return;
    };
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    let name = ["paymentId", "id"]
        .iter()
        .find_map(|name| answer[name].as_str());
    let Some(id) = name.and_then(|name| name.parse::<PaymentId>().ok()) else {
        return;
    };
    let playing = Arc::clone(services);
    services.tasks.spawn(async move {
        let loaded = playing.reader.load(tenant, reading::payment(id)).await;
        let Ok(state) = loaded else { return };
        // Only where the shop chose the mock: it pays without money.
        let chosen = state.settings().map(|settings| settings.default_provider);
        if chosen != Some(Provider::Mock) {
            return;
        }
        let payment = state.payment(id).cloned();
        let mock = payment.filter(|payment| payment.provider == Provider::Mock);
        if let Some(payment) = mock {
            let order = state.orders.get(&payment.order_id);
            let held_until = order.and_then(|order| order.payment_expires_at);
            let acts = playing.providers.act(tenant, payment, held_until, action);
            acts.await;
        }
    });
}

/// Sends the payer back to the shop. What an address cannot hold is encoded.
pub(crate) fn back(url: &str, payment: &Payment) -> Response {
    let (page, fragment) = url.split_once('#').unwrap_or((url, ""));
    let (order, status) = (payment.order_id, payment.status.name());
    let sign = if page.contains('?') { '&' } else { '?' };
    let hash = if fragment.is_empty() { "" } else { "#" };
    let to = format!("{page}{sign}order_id={order}&status={status}{hash}{fragment}");
    let to = utf8_percent_encode(&to, CONTROLS).to_string();
    let mut response = respond::html(String::new());
    if let Ok(value) = HeaderValue::from_str(&to) {
        *response.status_mut() = axum::http::StatusCode::SEE_OTHER;
        response.headers_mut().insert(LOCATION, value);
    }
    response
}
