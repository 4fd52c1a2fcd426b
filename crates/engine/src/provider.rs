//! The port to payment providers: what they tell us, verified, as a command.

use std::pin::Pin;

use domain::decide::ProviderResult;
use domain::ids::TenantId;
use domain::payment::{Payment, Provider};
use domain::time::Timestamp;

/// A notification as it came in.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// Header names in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// The raw body: signatures are over these very bytes.
    pub body: Vec<u8>,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// It is not from who it says, or too old: it leaves no trace.
    #[error("the notification's signature does not verify")]
    Unverified,
}

/// A notification that is genuine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// What the provider calls it: the same name however often it comes.
    pub event_id: String,
    /// What it says.
    pub said: Said,
}

/// What a notification says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// What it is about, in the provider's words.
    pub kind: String,
    /// What it says of a payment; `None` when it asks for nothing that we do.
    pub result: Option<ProviderResult>,
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

/// Payment providers, as the API sees them.
pub trait Providers: Send + Sync {
    /// Verifies a notification and reads what it says.
    fn read(
        &self,
        provider: Provider,
        tenant: TenantId,
        message: &Message,
        now: Timestamp,
    ) -> Result<Verified, NotTaken>;

    /// Reads the body of a notification that was verified when it came.
    fn read_again(&self, provider: Provider, body: &[u8]) -> Said;

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
