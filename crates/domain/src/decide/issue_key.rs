//! Makes a key's record; the key itself never comes this far. Runs in the platform's lane.

use crate::command::{Context, Decision, Reply};
use crate::event::Row;
use crate::ids::TenantId;
use crate::needs::Needs;
use crate::rejection::Rejection;
use crate::state::State;
use crate::tenant::{ApiKey, KeyKind};

/// A new key's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssueKey {
    /// The tenant; the nil id for a platform key.
    pub tenant_id: TenantId,
    /// What it may do.
    pub kind: KeyKind,
    /// What its owner calls it.
    pub name: String,
    /// Its first characters.
    pub prefix: String,
    /// Its hash.
    pub hash: [u8; 32],
}

impl IssueKey {
    pub(crate) fn needs(&self, needs: &mut Needs) {
        needs.tenants.insert(self.tenant_id);
    }

    pub(crate) fn decide(
        &self,
        state: &State,
        context: &mut Context<'_>,
    ) -> Result<Decision, Rejection> {
        if self.kind != KeyKind::Platform && !state.tenants.contains(&self.tenant_id) {
            return Err(Rejection::NotFound);
        }
        let key = ApiKey {
            id: context.ids.make(),
            tenant_id: self.tenant_id,
            kind: self.kind,
            name: self.name.clone(),
            prefix: self.prefix.clone(),
            hash: self.hash,
            created_at: context.now,
            revoked_at: None,
        };
        let reply = Reply::Key(key.id);
        Ok(Decision::created(vec![Row::Key(key).into()], reply))
    }
}
