//! Payments and refunds at other people's servers: the intent is committed, the provider asked, its
//! answer committed. Whoever finds one half done goes on with it: the key that the provider gets is
//! derived from our ids, so that asking again asks for the same.

mod busy;
pub mod pursuer;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use domain::command::{Command, Reply};
use domain::decide::{ProviderOutcome, ProviderResult, RecordBegun, RefundOutcome, RefundResult};
use domain::ids::{PaymentId, RefundId, TenantId, TypedId as _};
use domain::needs::Needs;
use domain::payment::{Payment, PaymentStatus, Provider, Refund, RefundStatus, Stage};
use domain::state::State;
use domain::tenant::Tenant;

use crate::handle::Handle;
use crate::provider::{Fault, Providers, Standing};
use crate::reader::{OpenMoney, Reader};
use crate::request::Failure;
use crate::store::StoreError;
use busy::Busy;

/// How long one caller waits for another that asks for the same.
const PATIENCE: Duration = Duration::from_secs(10);
/// After how long a payment without a deadline counts as ended, in milliseconds.
const ENDLESS: i64 = 86_400_000;

/// Why a payment or a refund did not get on.
#[derive(Debug, thiserror::Error)]
pub enum Stuck {
    /// The provider.
    #[error(transparent)]
    Provider(#[from] Fault),
    /// What the provider said was not taken.
    #[error("what the provider said was not taken: {0}")]
    NotTaken(#[from] Failure),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is not there.
    #[error("there is no such payment")]
    Gone,
    /// Somebody else asks, and has not ended in time.
    #[error("the provider is being asked already")]
    Busy,
}

/// Whether something more is to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The provider has said its last word.
    Done,
    /// It goes on with the next question.
    Further,
    /// The payer, or the provider, takes some time.
    Waits,
    /// It waits for another refund of the payment.
    Queued,
}

/// Moves payments and refunds on. On one server each by one caller at a time.
pub struct Sagas {
    handle: Handle,
    reader: Arc<dyn Reader>,
    providers: Arc<dyn Providers>,
    busy: Busy,
}

/// A payment with its tenant.
struct Found {
    tenant: Tenant,
    payment: Payment,
    state: State,
}

impl Sagas {
    /// Over these lanes and providers.
    #[must_use]
    pub fn new(handle: Handle, reader: Arc<dyn Reader>, providers: Arc<dyn Providers>) -> Self {
        Self {
            handle,
            reader,
            providers,
            busy: Busy::default(),
        }
    }

    /// Asks a provider for what an open answer waits for.
    pub async fn answer(
        &self,
        tenant: TenantId,
        reply: Reply,
        payer: Option<IpAddr>,
    ) -> Result<(), Stuck> {
        #[expect(clippy::wildcard_enum_match_arm, reason = "nothing else is open")]
        match reply {
            Reply::Payment(id)
            | Reply::Checkout {
                payment: Some(id), ..
            } => {
                let alone = self.busy.lock(id.uuid());
                let alone = tokio::time::timeout(PATIENCE, alone).await;
                let alone = alone.map_err(|_| Stuck::Busy)?;
                let found = self.find(tenant, id).await?;
                match found.payment.stage {
                    // Whoever asked before has found out that it cannot be asked now.
                    Stage::Intended if alone.waited => Err(Stuck::Busy),
                    Stage::Intended => self.begin(&found, payer).await,
                    Stage::Begun | Stage::Closed => Ok(()),
                }
            }
            Reply::Refund(order, id) => {
                let needs = Needs {
                    orders: [order].into(),
                    ..Needs::default()
                };
                let state = self.reader.load(tenant, needs).await?;
                let refund = state.refunds.get(&(order, id)).ok_or(Stuck::Gone)?;
                self.refund(tenant, refund.payment_id, id).await.map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Takes the next step of what is open.
    pub async fn step(&self, open: OpenMoney) -> Result<Step, Stuck> {
        match open.refund_id {
            Some(refund) => self.refund(open.tenant, open.payment_id, refund).await,
            None => self.pursue(open).await,
        }
    }

    /// Sees to it that nobody pays a payment any more, as far as its provider lets us.
    pub async fn close(&self, tenant: TenantId, id: PaymentId) -> Result<Step, Stuck> {
        let _alone = self.busy.lock(id.uuid()).await;
        let found = self.find(tenant, id).await?;
        if found.payment.stage != Stage::Begun {
            return Ok(Step::Done);
        }
        let now = self.handle.clock().now();
        let closed = self.providers.close(&found.tenant, &found.payment, now);
        self.take(&found, closed.await?).await
    }

    /// Takes money that the provider keeps for us, or what it has taken already.
    pub async fn capture(&self, tenant: TenantId, id: PaymentId) -> Result<Step, Stuck> {
        let _alone = self.busy.lock(id.uuid()).await;
        let found = self.find(tenant, id).await?;
        if found.payment.stage != Stage::Begun {
            return Ok(Step::Done);
        }
        let asked = self.providers.capture(&found.tenant, &found.payment).await;
        self.take(&found, asked?).await
    }

    async fn pursue(&self, open: OpenMoney) -> Result<Step, Stuck> {
        let (id, now) = (open.payment_id, open.now);
        let _alone = self.busy.lock(id.uuid()).await;
        let found = self.find(open.tenant, id).await?;
        let Found {
            tenant, payment, ..
        } = &found;
        let endless = payment.created_at.plus_millis(ENDLESS);
        let ended = payment.expires_at.unwrap_or(endless) <= now;
        let waits = payment.status == PaymentStatus::Pending && !ended;
        match payment.stage {
            Stage::Closed => Ok(Step::Done),
            Stage::Intended => self.begin(&found, None).await.map(|()| Step::Further),
            Stage::Begun => {
                let asked = if waits {
                    self.providers.standing(tenant, payment).await
                } else {
                    self.providers.close(tenant, payment, now).await
                };
                self.take(&found, asked?).await
            }
        }
    }

    async fn begin(&self, found: &Found, payer: Option<IpAddr>) -> Result<(), Stuck> {
        let (tenant, payment) = (&found.tenant, &found.payment);
        match self.providers.begin(tenant, payment, payer).await {
            Ok(begun) => {
                let command = RecordBegun {
                    payment_id: payment.id,
                    provider_payment_id: begun.provider_payment_id,
                    page: begun.page,
                };
                self.submit(tenant.id, command.into()).await
            }
            Err(Fault::Refused { code }) => {
                let outcome = ProviderOutcome::Failed { code: code.clone() };
                self.result(tenant.id, payment.id, outcome).await?;
                Err(Fault::Refused { code }.into())
            }
            Err(fault) => Err(fault.into()),
        }
    }

    /// Applies where a payment stands.
    async fn take(&self, found: &Found, standing: Standing) -> Result<Step, Stuck> {
        let (tenant, payment) = (found.tenant.id, &found.payment);
        match outcome(payment, standing) {
            Some(outcome) => {
                let waits = outcome == ProviderOutcome::Suspected;
                self.result(tenant, payment.id, outcome).await?;
                Ok(if waits { Step::Waits } else { Step::Done })
            }
            None => Ok(Step::Waits),
        }
    }

    async fn refund(
        &self,
        tenant: TenantId,
        payment: PaymentId,
        id: RefundId,
    ) -> Result<Step, Stuck> {
        let _alone = self.busy.lock(id.uuid()).await;
        let found = self.find(tenant, payment).await?;
        let (tenant, payment) = (&found.tenant, &found.payment);
        let refund: &Refund = found
            .state
            .refunds
            .get(&(payment.order_id, id))
            .ok_or(Stuck::Gone)?;
        if !refund.is_open() {
            return Ok(Step::Done);
        }
        let others = || {
            let all = found.state.refunds_of(payment.order_id);
            all.filter(|other| other.payment_id == payment.id && other.id != id)
        };
        // VNPAY has no names for refunds: two at a time could not be told apart.
        let before = |other: &Refund| other.is_open() && other.id < id;
        if payment.provider == Provider::Vnpay && others().any(before) {
            return Ok(Step::Queued);
        }
        let names: BTreeSet<String> = others()
            .filter_map(|other| other.provider_refund_id.clone())
            .collect();
        let asked = if refund.status == RefundStatus::Requested {
            self.providers.refund(tenant, payment, refund, &names).await
        } else {
            self.providers
                .refunded(tenant, payment, refund, &names)
                .await
        };
        let outcome = match asked {
            Ok(outcome) => outcome,
            Err(Fault::Refused { code }) => RefundOutcome::Failed {
                provider_refund_id: None,
                code,
            },
            Err(fault) => return Err(fault.into()),
        };
        let step = match &outcome {
            RefundOutcome::Pending { .. } => Step::Waits,
            RefundOutcome::Succeeded { .. } => Step::Done,
            RefundOutcome::Failed { code, .. } => {
                tracing::error!(refund = %id, code, "a provider refused a refund");
                Step::Done
            }
        };
        let command = RefundResult {
            payment_id: payment.id,
            refund_id: id,
            outcome,
        };
        self.submit(tenant.id, command.into()).await?;
        Ok(step)
    }

    async fn result(
        &self,
        tenant: TenantId,
        payment_id: PaymentId,
        outcome: ProviderOutcome,
    ) -> Result<(), Stuck> {
        let command = ProviderResult {
            payment_id,
            outcome,
        };
        self.submit(tenant, command.into()).await
    }

    async fn submit(&self, tenant: TenantId, command: Command) -> Result<(), Stuck> {
        self.handle.submit(tenant, command, None).await?;
        Ok(())
    }

    async fn find(&self, tenant: TenantId, id: PaymentId) -> Result<Found, Stuck> {
        let needs = Needs {
            payments: [id].into(),
            ..Needs::default()
        };
        let state = self.reader.load(tenant, needs).await?;
        let tenant = state.tenant().cloned().ok_or(Stuck::Gone)?;
        let payment = state.payment(id).cloned().ok_or(Stuck::Gone)?;
        Ok(Found {
            tenant,
            payment,
            state,
        })
    }
}

/// What a standing is for a payment; `None` while it is no outcome.
#[must_use]
pub fn outcome(payment: &Payment, standing: Standing) -> Option<ProviderOutcome> {
    match standing {
        Standing::Open | Standing::Authorised => None,
        Standing::Suspicious => {
            tracing::warn!(payment = %payment.id, "a provider suspects a fraud");
            Some(ProviderOutcome::Suspected)
        }
        Standing::Failed { code } => Some(ProviderOutcome::Failed { code }),
        Standing::Captured {
            provider_payment_id,
            amount,
            currency,
            fee,
        } => {
            // VNPAY has no captures: another amount is a fault.
            let parts = matches!(payment.provider, Provider::Stripe | Provider::Yookassa);
            let part = parts && amount < payment.amount && currency == payment.currency;
            Some(if part {
                ProviderOutcome::CapturedInPart {
                    provider_payment_id,
                    amount,
                    currency,
                }
            } else {
                ProviderOutcome::Succeeded {
                    provider_payment_id,
                    amount,
                    currency,
                    fee,
                }
            })
        }
    }
}
