//! All endpoints: the table of contents of the API.

mod admin;
mod cart;
mod checkout;
mod controls;
mod health;
mod import;
mod ledger;
mod locations;
mod orders;
mod payment_accounts;
mod payments;
mod products;
mod provider_pages;
mod reservations;
mod settings;
mod stock;
mod webhook_events;

use crate::operation::Operation;
use crate::pages;

/// Every endpoint.
#[must_use]
pub fn all() -> Vec<Operation> {
    [
        products::operations(),
        import::operations(),
        locations::operations(),
        stock::operations(),
        reservations::operations(),
        cart::operations(),
        checkout::operations(),
        orders::operations(),
        payments::operations(),
        payment_accounts::operations(),
        ledger::operations(),
        settings::operations(),
        controls::operations(),
        admin::operations(),
        provider_pages::operations(),
        webhook_events::operations(),
        health::operations(),
        pages::operations(),
    ]
    .concat()
}
