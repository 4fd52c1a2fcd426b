//! One file a command: what it carries, what it needs, what it decides.
//!
//! Checks run in the order of the contract: what does not exist, what is at fault in the body,
//! what conflicts with the state.

mod add_cart_item;
mod add_location;
mod adjust_stock;
mod cancel_order;
mod change_cart_item;
mod change_product;
mod change_settings;
mod change_status;
mod confirm_payment;
mod convert_cart;
mod create_cart;
mod create_product;
mod create_tenant;
mod hold_order;
mod import_product;
mod issue_key;
mod lock_order;
mod move_controls;
mod place_order;
mod provider_result;
mod receive_webhook;
mod record_begun;
mod record_payment;
mod refund_payment;
mod refund_result;
mod remove_cart_item;
mod revise_order;
mod revoke_key;
mod set_payment_account;
mod set_shipping;
mod set_stock;
mod start_payment;
mod sweep;

mod lines;
mod settle;
mod supply;

#[cfg(test)]
mod tests;

pub use add_cart_item::AddCartItem;
pub use add_location::AddLocation;
pub use adjust_stock::AdjustStock;
pub use cancel_order::CancelOrder;
pub use change_cart_item::{ChangeCartItem, QuantityChange};
pub use change_product::{ChangeProduct, VariantChange, shown_variant_version, shown_version};
pub use change_settings::{ChangeSettings, SettingsPatch};
pub use change_status::ChangeStatus;
pub use confirm_payment::ConfirmPayment;
pub use convert_cart::{ConvertCart, PaymentRequest};
pub use create_cart::CreateCart;
pub use create_product::{CreateProduct, NewVariant};
pub use create_tenant::CreateTenant;
pub use hold_order::{HoldOrder, ReleaseOrder};
pub use import_product::{ImportProduct, ImportedLevel, ImportedVariant, StockRule};
pub use issue_key::IssueKey;
pub use lines::{LineRequest, Pick};
pub use lock_order::LockOrder;
pub use move_controls::MoveControls;
pub use place_order::PlaceOrder;
pub use provider_result::{ProviderOutcome, ProviderResult};
pub use receive_webhook::{ReceiveWebhook, UNCHANGED, WebhookSays};
pub use record_begun::RecordBegun;
pub use record_payment::RecordPayment;
pub use refund_payment::RefundPayment;
pub use refund_result::{RefundOutcome, RefundResult};
pub use remove_cart_item::RemoveCartItem;
pub use revise_order::{ContactPatch, ReviseOrder};
pub use revoke_key::RevokeKey;
pub use set_payment_account::SetPaymentAccount;
pub use set_shipping::SetShipping;
pub use set_stock::SetStock;
pub use start_payment::StartPayment;
pub use sweep::{Sweep, expire_due};
