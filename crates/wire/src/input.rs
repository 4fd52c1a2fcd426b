//! What clients send: read, checked against its schema, turned into commands.

mod accounts;
mod body;
mod cart;
mod catalogue;
mod checkout;
mod controls;
mod import;
mod orders;
mod patch;
mod payments;
mod settings;
mod stock;
mod tenants;

pub use accounts::{AccountMembers, stripe_account, vnpay_account, yookassa_account};
pub use body::{BodyError, Shape, parse};
pub use cart::{AddItemBody, ChangeItemBody, NewCartBody};
pub use catalogue::{ChangeProductBody, NewLocationBody, NewProductBody};
pub use checkout::{CheckoutBody, ConvertBody};
pub use controls::{ControlsBody, OrderHoldBody};
pub use import::{ImportLine, LevelLine, OptionLine, VariantLine};
pub use orders::{
    CancelBody, NewOrderBody, RecordPaymentBody, ReviseOrderBody, ShippingBody, StatusBody,
};
pub use payments::{RefundBody, StartPaymentBody};
pub use settings::SettingsBody;
pub use stock::{AdjustStockBody, SetStockBody};
pub use tenants::{NewKeyBody, NewTenantBody};
