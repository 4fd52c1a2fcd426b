//! Sets the shop's account with a payment provider. Secrets come sealed; there is no event of it.

use std::collections::BTreeMap;

use crate::command::{Context, Decision, Reply};
use crate::event::Row;
use crate::needs::Needs;
use crate::payment::Provider;
use crate::rejection::Rejection;
use crate::state::State;
use crate::tenant::PaymentAccount;

/// An account, in place of the one that stood there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetPaymentAccount {
    /// With whom.
    pub provider: Provider,
    /// What may be shown.
    pub values: BTreeMap<String, String>,
    /// The secrets, sealed.
    pub sealed: Vec<u8>,
}

impl SetPaymentAccount {
    #[expect(clippy::unused_self, reason = "every command has this method")]
    pub(crate) fn needs(&self, _needs: &mut Needs) {}

    pub(crate) fn decide(
        &self,
        state: &State,
        context: &mut Context<'_>,
    ) -> Result<Decision, Rejection> {
        let mut tenant = state.tenant().cloned().ok_or(Rejection::NotFound)?;
        let account = PaymentAccount {
            values: self.values.clone(),
            sealed: self.sealed.clone(),
            updated_at: context.now,
        };
        tenant.accounts.insert(self.provider, account);
        Ok(Decision::changed(
            vec![Row::Tenant(Box::new(tenant)).into()],
            Reply::PaymentAccount(self.provider),
        ))
    }
}
