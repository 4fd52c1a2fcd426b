//! Revokes a key. Runs in the platform's lane.

use crate::command::{Context, Decision, Reply};
use crate::event::Row;
use crate::ids::{KeyId, TenantId};
use crate::needs::Needs;
use crate::rejection::Rejection;
use crate::state::State;
use crate::tenant::ApiKey;

/// The key to revoke; one that was revoked before is answered unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokeKey {
    /// The tenant that it belongs to; the nil id for a platform key.
    pub tenant_id: TenantId,
    /// The key's record.
    pub key_id: KeyId,
}

impl RevokeKey {
    pub(crate) fn needs(&self, needs: &mut Needs) {
        needs.keys.insert(self.key_id);
    }

    pub(crate) fn decide(
        &self,
        state: &State,
        context: &mut Context<'_>,
    ) -> Result<Decision, Rejection> {
        let key = state
            .keys
            .get(&self.key_id)
            .filter(|key| key.tenant_id == self.tenant_id)
            .ok_or(Rejection::NotFound)?;
        let reply = Reply::Key(key.id);
        if key.revoked_at.is_some() {
            return Ok(Decision::repeated(reply));
        }
        let revoked = ApiKey {
            revoked_at: Some(context.now),
            ..key.clone()
        };
        Ok(Decision::changed(vec![Row::Key(revoked).into()], reply))
    }
}
