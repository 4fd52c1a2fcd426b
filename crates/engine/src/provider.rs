//! The port to payment providers: what we ask of them, and what they tell us, verified.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::pin::Pin;

use domain::decide::{ProviderOutcome, RefundOutcome};
use domain::ids::{OrderId, PaymentId, RefundId, TenantId};
use domain::money::{Amount, Currency};
use domain::payment::{PayPage, Payment, Provider, Refund};
use domain::tenant::Tenant;
use domain::time::Timestamp;

/// What a call to a provider comes to.
pub type Asked<'a, T> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send + 'a>>;

/// Why there is no answer to go by.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It did not answer in time: it may have been done or not.
    #[error("the provider did not answer in time")]
    Timeout,
    /// It may have been done or not: the same request is sent again, or the object asked for.
    #[error("the provider's answer leaves the outcome open: {0}")]
    Unknown(String),
    /// It was certainly not done, and would not be if it were asked again.
    #[error("the provider refused: {code}")]
    Refused {
        /// The provider's own code.
        code: String,
    },
}

/// A payment as a provider has begun it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun {
    /// What the provider calls it, where it says so already.
    pub provider_payment_id: Option<String>,
    /// With what it is paid.
    pub page: PayPage,
}

/// Where a payment stands with its provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The payer may still pay.
    Open,
    /// The money is kept for us and waits for its capture.
    Authorised,
    /// The money was taken.
    Captured {
        /// What the provider calls the payment.
        provider_payment_id: String,
        /// How much.
        amount: Amount,
        /// In which currency.
        currency: Currency,
        /// What the provider keeps of it, where it says so.
        fee: Option<Amount>,
    },
    /// The money was taken, and the provider suspects fraud: somebody must look.
    Suspicious,
    /// It certainly failed, or was given up.
    Failed {
        /// Why, in the provider's words.
        code: String,
    },
}

/// A notification as it came in.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// Header names in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// The raw query of its address.
    pub query: String,
    /// The raw body: signatures are over these very bytes.
    pub body: Vec<u8>,
    /// Who sent it, as the socket says.
    pub peer: Option<IpAddr>,
}

impl Message {
    /// The value of a header that stands once.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known == name);
        let (_, value) = found.next()?;
        found.next().is_none().then_some(value)
    }
}

/// Why a notification is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// It is not from who it says, or too old: it leaves no trace.
    #[error("the notification does not verify")]
    Unverified,
    /// It says nothing at all.
    #[error("the notification is empty")]
    Empty,
    /// The provider that was to confirm it cannot be asked now: it shall come again.
    #[error("the notification cannot be verified now: {0}")]
    NotNow(#[from] Fault),
}

/// A notification that is genuine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// What the provider calls it: the same name however often it comes.
    pub event_id: String,
    /// What is kept of it, and read again when it is replayed.
    pub body: Vec<u8>,
    /// What it says.
    pub said: Said,
}

/// What a notification says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// What it is about, in the provider's words.
    pub kind: String,
    /// What it asks for.
    pub says: Says,
}

/// How a notification names a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// By our id.
    Id(PaymentId),
    /// By our order and the attempt.
    Attempt(OrderId, i64),
    /// By what the provider calls it; our order helps where that name was never told us.
    Theirs(String, Option<OrderId>),
}

/// What a notification asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Says {
    /// Nothing that we do.
    Nothing,
    /// Something about what is none of ours.
    Unknown,
    /// How a payment went.
    Payment(Named, ProviderOutcome),
    /// Where a payment stands, by its provider's own word; and the amount that it is about, where
    /// that must be the payment's whatever else is said.
    Standing(Named, Standing, Option<Amount>),
    /// How a refund went, by our id where it carries it.
    Refund(Named, Option<RefundId>, RefundOutcome),
}

/// What a payer can do on the mock provider's page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MockAction {
    /// Pays.
    Pay,
    /// The payment is declined.
    Fail,
    /// Leaves; nothing is ever told.
    Abandon,
    /// Pays; the provider tells only after the hold has ended.
    Late,
    /// The provider does not answer; the outcome stays unknown.
    Timeout,
    /// Pays; the provider tells three times at once.
    Duplicate,
}

impl MockAction {
    /// All of them, by the names of their buttons.
    pub const ALL: [(&'static str, Self); 6] = [
        ("pay", Self::Pay),
        ("fail", Self::Fail),
        ("abandon", Self::Abandon),
        ("late", Self::Late),
        ("timeout", Self::Timeout),
        ("duplicate", Self::Duplicate),
    ];
}

/// What became of a notification, for whoever sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It was taken in.
    Taken,
    /// It said what was known.
    Known,
    /// It is about what is none of ours.
    NotOurs,
    /// It names other money.
    OtherMoney,
    /// It does not verify.
    Unverified,
    /// It shall come again.
    Failed,
}

/// A secret cannot be kept: the server has no key to seal it with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this server was given no key to seal secrets with (STOCKHOLD_ACCOUNTS_KEY)")]
pub struct NoKey;

/// Payment providers. Every request to one carries a key that is derived from our ids: the same
/// request again is the same to the provider.
pub trait Providers: Send + Sync {
    /// Verifies a notification and reads what it says.
    fn read<'a>(
        &'a self,
        provider: Provider,
        tenant: &'a Tenant,
        message: &'a Message,
        now: Timestamp,
    ) -> Pin<Box<dyn Future<Output = Result<Verified, NotTaken>> + Send + 'a>>;

    /// Reads the kept body of a notification that was verified when it came.
    fn read_again<'a>(
        &'a self,
        provider: Provider,
        tenant: &'a Tenant,
        body: &'a [u8],
    ) -> Asked<'a, Said>;

    /// Begins a payment; `payer` is the payer's address, where it is known.
    fn begin<'a>(
        &'a self,
        tenant: &'a Tenant,
        payment: &'a Payment,
        payer: Option<IpAddr>,
    ) -> Asked<'a, Begun>;

    /// Asks where a payment stands.
    fn standing<'a>(&'a self, tenant: &'a Tenant, payment: &'a Payment) -> Asked<'a, Standing>;

    /// Takes money that is kept for us, and asks where the payment stands then.
    fn capture<'a>(&'a self, tenant: &'a Tenant, payment: &'a Payment) -> Asked<'a, Standing>;

    /// Sees to it, as far as the provider lets us, that nobody pays any more, and asks where the
    /// payment stands then.
    fn close<'a>(
        &'a self,
        tenant: &'a Tenant,
        payment: &'a Payment,
        now: Timestamp,
    ) -> Asked<'a, Standing>;

    /// Asks for a refund: the same again is the same refund. `others` are the provider's names of
    /// other refunds of the payment.
    fn refund<'a>(
        &'a self,
        tenant: &'a Tenant,
        payment: &'a Payment,
        refund: &'a Refund,
        others: &'a BTreeSet<String>,
    ) -> Asked<'a, RefundOutcome>;

    /// Asks how far a refund has come that was asked for before.
    fn refunded<'a>(
        &'a self,
        tenant: &'a Tenant,
        payment: &'a Payment,
        refund: &'a Refund,
        others: &'a BTreeSet<String>,
    ) -> Asked<'a, RefundOutcome>;

    /// What a provider is answered, with status 200, that has words of its own for it.
    fn receipt(&self, provider: Provider, receipt: Receipt) -> Option<String>;

    /// A provider's addresses, where an account names no others: the member's name and the address.
    fn usual_urls(&self, provider: Provider) -> &'static [(&'static str, &'static str)];

    /// Seals the secrets of an account, so that only this server's key opens them, and only for
    /// this tenant, provider and these values: nobody can send them to another address.
    fn seal(
        &self,
        tenant: TenantId,
        provider: Provider,
        values: &BTreeMap<String, String>,
        secrets: &BTreeMap<String, String>,
    ) -> Result<Vec<u8>, NoKey>;

    /// Does what a payer did on the mock provider's page: the provider then tells us over HTTP,
    /// as a real one would. `held_until` is when the payment's hold ends.
    fn act(
        &self,
        tenant: TenantId,
        payment: Payment,
        held_until: Option<Timestamp>,
        action: MockAction,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}
