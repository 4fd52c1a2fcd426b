//! Objects as clients see them (contract: field names, `null` for what is absent).

mod account;
mod cart;
mod controls;
mod event;
mod imported;
mod ledger;
mod order;
mod payment;
mod product;
mod settings;
mod stock;
mod tenant;
mod webhook;

use domain::ids::{TypedId, Uuid};
use domain::time::Timestamp;
use serde::{Serialize, Serializer};

pub use account::PaymentAccountView;
pub use cart::CartView;
pub use controls::ControlsView;
pub use event::EventView;
pub use imported::ImportedView;
pub use ledger::{LedgerAccountView, LedgerTransactionView, TrialBalanceView};
pub use order::{CheckoutView, OrderView, StatsView};
pub use payment::{PaymentView, RefundView};
pub use product::{LocationView, ProductView};
pub use settings::SettingsView;
pub use stock::{ExplanationView, LevelView, ReservationView};
pub use tenant::{KeyView, NewKeyView, TenantView};
pub use webhook::WebhookEventView;

/// A time as it is sent.
#[derive(Clone, Copy)]
pub(crate) struct At(pub(crate) Timestamp);

impl Serialize for At {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let at = jiff::Timestamp::from_millisecond(self.0.millis())
            .map_err(serde::ser::Error::custom)?;
        serializer.collect_str(&format_args!("{at:.3}"))
    }
}

/// An id as it is sent.
#[derive(Clone, Copy)]
pub(crate) struct Id(Uuid);

impl Id {
    pub(crate) fn of(id: impl TypedId) -> Self {
        Self(id.uuid())
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.hyphenated().encode_lower(&mut [0; 36]))
    }
}

/// Options of a variant: an object in the order given.
pub(crate) struct Options<'a>(pub(crate) &'a [(String, String)]);

impl Serialize for Options<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}
