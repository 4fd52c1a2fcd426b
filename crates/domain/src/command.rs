//! Commands: all that can change state, each with one file under `decide/`.

use crate::decide::{
    AddCartItem, AddLocation, AdjustStock, CancelOrder, ChangeCartItem, ChangeProduct,
    ChangeSettings, ChangeStatus, ConfirmPayment, ConvertCart, CreateCart, CreateProduct,
    CreateTenant, HoldOrder, ImportProduct, IssueKey, LockOrder, MoveControls, PlaceOrder,
    ProviderResult, ReceiveWebhook, RecordBegun, RecordPayment, RefundPayment, RefundResult,
    ReleaseOrder, RemoveCartItem, ReviseOrder, RevokeKey, SetPaymentAccount, SetShipping, SetStock,
    StartPayment, Sweep,
};
use crate::event::Change;
use crate::ids::{
    CartId, Ids, KeyId, LocationId, OrderId, PaymentId, ProductId, RefundId, TenantId,
    WebhookEventId,
};
use crate::needs::Needs;
use crate::order::Order;
use crate::payment::{PaymentStatus, Provider, RefundStatus, Stage};
use crate::rejection::Rejection;
use crate::state::State;
use crate::stock::LevelKey;
use crate::time::Timestamp;

/// Freezes an order's lines and totals into a hash: SHA-256 of their canonical JSON (RFC 8785).
/// A pure function that lives outside, because JSON and hashing do.
pub trait Seal {
    /// The hash in lower-case hexadecimal.
    fn seal(&self, order: &Order) -> String;
}

/// What deciding may use beside the state: all of it arguments, none of it read from outside.
pub struct Context<'a> {
    /// The batch's time.
    pub now: Timestamp,
    /// Ids for what the command makes.
    pub ids: Ids,
    /// The server's default of [`crate::tenant::Settings::payment_timeout_minutes`].
    pub payment_timeout_minutes: i64,
    /// Freezes orders.
    pub seal: &'a dyn Seal,
}

/// What a command decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What to apply, in order.
    pub changes: Vec<Change>,
    /// What to answer.
    pub reply: Reply,
    /// True when the command made something; false when it changed or found something.
    pub created: bool,
    /// True when an earlier command had done the same, and its outcome is answered again.
    pub repeated: bool,
}

impl Decision {
    /// A decision that makes something.
    #[must_use]
    pub fn created(changes: Vec<Change>, reply: Reply) -> Self {
        Self {
            changes,
            reply,
            created: true,
            repeated: false,
        }
    }

    /// A decision that changes something.
    #[must_use]
    pub fn changed(changes: Vec<Change>, reply: Reply) -> Self {
        Self {
            changes,
            reply,
            created: false,
            repeated: false,
        }
    }

    /// Nothing to do: it was done before.
    #[must_use]
    pub fn repeated(reply: Reply) -> Self {
        Self {
            changes: Vec::new(),
            reply,
            created: false,
            repeated: true,
        }
    }
}

/// What became of a product that was imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is new.
    Created,
    /// It was there and differed.
    Updated,
    /// It was there just so.
    Unchanged,
}

/// What a line of an import did, or would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Imported {
    /// What became of the product.
    pub outcome: Outcome,
    /// The product; `None` where a new one was only thought of.
    pub product_id: Option<ProductId>,
    /// Variants that are new.
    pub variants_created: usize,
    /// Variants that differed.
    pub variants_updated: usize,
    /// Stock levels that were set.
    pub levels_set: usize,
}

/// What a command answers with; the object is read from the state after the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A product with its variants.
    Product(ProductId),
    /// A location.
    Location(LocationId),
    /// A stock level.
    Level(LevelKey),
    /// A cart.
    Cart(CartId),
    /// An order, with its client token for the one who made it.
    Order {
        /// The order.
        id: OrderId,
        /// Whether the caller made it.
        to_maker: bool,
    },
    /// An order and the payment that was started for it.
    Checkout {
        /// The order.
        order: OrderId,
        /// The payment, if the order could still be paid or was.
        payment: Option<PaymentId>,
    },
    /// A payment.
    Payment(PaymentId),
    /// A refund.
    Refund(OrderId, RefundId),
    /// The tenant's settings.
    Settings,
    /// The tenant's account with a provider.
    PaymentAccount(Provider),
    /// A tenant.
    Tenant(TenantId),
    /// A key's record.
    Key(KeyId),
    /// A provider's message.
    WebhookEvent(WebhookEventId),
    /// What a sweep came to.
    Swept {
        /// Whether another sweep may find more.
        more: bool,
    },
    /// Where the tenant's controls stand.
    Controls,
    /// What a line of an import came to.
    Imported(Imported),
}

impl Reply {
    /// Whether its payment ended before its provider had begun it: the same request again starts
    /// another.
    #[must_use]
    pub fn is_void(self, state: &State) -> bool {
        #[expect(clippy::wildcard_enum_match_arm, reason = "nothing else is a payment")]
        match self {
            Self::Payment(id)
            | Self::Checkout {
                payment: Some(id), ..
            } => state.payment(id).is_some_and(|payment| {
                // VNPAY gives payments no names; it never refuses to begin what can be asked for.
                payment.status == PaymentStatus::Failed
                    && payment.provider_payment_id.is_none()
                    && payment.provider != Provider::Vnpay
            }),
            _ => false,
        }
    }

    /// Whether a provider is still to be asked before this is an answer: its payment is not begun,
    /// or its refund not sent.
    #[must_use]
    pub fn is_open(self, state: &State) -> bool {
        match self {
            Self::Payment(id)
            | Self::Checkout {
                payment: Some(id), ..
            } => state.payment(id).is_some_and(|payment| {
                payment.stage == Stage::Intended && payment.status == PaymentStatus::Pending
            }),
            Self::Refund(order, id) => {
                let refund = state.refunds.get(&(order, id));
                refund.is_some_and(|refund| refund.status == RefundStatus::Requested)
            }
            Self::Checkout { payment: None, .. }
            | Self::Product(_)
            | Self::Location(_)
            | Self::Level(_)
            | Self::Cart(_)
            | Self::Order { .. }
            | Self::Settings
            | Self::PaymentAccount(_)
            | Self::Tenant(_)
            | Self::Key(_)
            | Self::WebhookEvent(_)
            | Self::Swept { .. }
            | Self::Controls
            | Self::Imported(_) => false,
        }
    }
}

macro_rules! commands {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// A wish to change state.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Command {
            $($(#[$doc])* $name($name),)*
        }

        impl Command {
            /// Adds what must be loaded before this command can be decided.
            pub fn needs(&self, needs: &mut Needs) {
                match self {
                    $(Self::$name(command) => command.needs(needs),)*
                }
            }

            /// Decides against loaded state. Changes nothing, reads nothing else.
            pub fn decide(
                &self,
                state: &State,
                context: &mut Context<'_>,
            ) -> Result<Decision, Rejection> {
                match self {
                    $(Self::$name(command) => command.decide(state, context),)*
                }
            }

            /// The command's name, for logs and traces.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => stringify!($name),)*
                }
            }
        }

        $(impl From<$name> for Command {
            fn from(command: $name) -> Self {
                Self::$name(command)
            }
        })*
    };
}

commands! {
    /// Adds a product.
    CreateProduct,
    /// Changes or archives a product.
    ChangeProduct,
    /// Makes or changes a product as a file says.
    ImportProduct,
    /// Adds a location.
    AddLocation,
    /// Sets a level.
    SetStock,
    /// Moves a level.
    AdjustStock,
    /// Makes a cart.
    CreateCart,
    /// Puts units into a cart.
    AddCartItem,
    /// Changes a line of a cart.
    ChangeCartItem,
    /// Takes a line out of a cart.
    RemoveCartItem,
    /// Makes an order of a cart.
    ConvertCart,
    /// Makes an order.
    PlaceOrder,
    /// Changes an unlocked order.
    ReviseOrder,
    /// Freezes an order.
    LockOrder,
    /// Moves an order along its way.
    ChangeStatus,
    /// Gives an order's parcel a number.
    SetShipping,
    /// Cancels an order.
    CancelOrder,
    /// Expires what is due.
    Sweep,
    /// Starts a payment.
    StartPayment,
    /// Records that a provider has begun a payment.
    RecordBegun,
    /// Records money that the shop's staff saw.
    RecordPayment,
    /// Confirms a started payment by hand.
    ConfirmPayment,
    /// Applies what a provider says of a payment.
    ProviderResult,
    /// Takes a provider's message in.
    ReceiveWebhook,
    /// Sends money back.
    RefundPayment,
    /// Applies what a provider says of a refund.
    RefundResult,
    /// Sets the shop's account with a provider.
    SetPaymentAccount,
    /// Changes the tenant's settings.
    ChangeSettings,
    /// Moves a tenant's controls.
    MoveControls,
    /// Puts an order on hold.
    HoldOrder,
    /// Releases an order from hold.
    ReleaseOrder,
    /// Makes a tenant.
    CreateTenant,
    /// Makes a key.
    IssueKey,
    /// Revokes a key.
    RevokeKey,
}
