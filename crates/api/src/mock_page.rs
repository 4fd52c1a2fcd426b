//! The mock provider's hosted page: real buttons, and a notification like a real provider's.

use axum::http::HeaderValue;
use axum::http::header::LOCATION;
use axum::response::Response;
use domain::ids::TenantId;
use domain::payment::Payment;
use engine::provider::MockAction;

use crate::respond;

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

/// Sends the payer back to the shop.
pub(crate) fn back(url: &str, payment: &Payment) -> Response {
    let sign = if url.contains('?') { '&' } else { '?' };
    let to = format!(
        "{url}{sign}order_id={}&status={}",
        payment.order_id,
        payment.status.name()
    );
    let mut response = respond::html(String::new());
    if let Ok(value) = HeaderValue::from_str(&to) {
        *response.status_mut() = axum::http::StatusCode::SEE_OTHER;
        response.headers_mut().insert(LOCATION, value);
    }
    response
}
