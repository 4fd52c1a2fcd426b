//! Makes a tenant. Runs in the platform's lane; the new tenant's own lane begins empty.

use std::collections::BTreeMap;

use crate::command::{Context, Decision, Reply};
use crate::event::Row;
use crate::money::Currency;
use crate::needs::Needs;
use crate::rejection::Rejection;
use crate::state::State;
use crate::tenant::{Settings, Tenant};

/// A new tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateTenant {
    /// Its name in URLs.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// The currency of its products when they name none.
    pub default_currency: Currency,
}

impl CreateTenant {
    pub(crate) fn needs(&self, needs: &mut Needs) {
        needs.slugs.insert(self.slug.clone());
    }

    pub(crate) fn decide(
        &self,
        state: &State,
        context: &mut Context<'_>,
    ) -> Result<Decision, Rejection> {
        if state
            .tenants
            .values()
            .any(|tenant| tenant.slug == self.slug)
        {
            return Err(Rejection::invalid("/slug", "another tenant has this slug"));
        }
        let tenant = Tenant {
            id: context.ids.make(),
            slug: self.slug.clone(),
            name: self.name.clone(),
            default_location_id: context.ids.make(),
            settings: Settings::new(self.default_currency),
            accounts: BTreeMap::new(),
            created_at: context.now,
        };
        let reply = Reply::Tenant(tenant.id);
        Ok(Decision::created(
            vec![Row::Tenant(Box::new(tenant)).into()],
            reply,
        ))
    }
}
