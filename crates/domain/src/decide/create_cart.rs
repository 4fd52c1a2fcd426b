//! Makes a cart.

use crate::cart::Cart;
use crate::command::{Context, Decision, Reply};
use crate::event::Row;
use crate::money::Currency;
use crate::needs::Needs;
use crate::rejection::Rejection;
use crate::state::State;

/// What is known of a new cart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CreateCart {
    /// Its currency; the first item's otherwise.
    pub currency: Option<Currency>,
    /// The caller's own id of the customer.
    pub customer_id: Option<String>,
    /// The customer's e-mail address.
    pub customer_email: Option<String>,
    /// The caller's own id of the session.
    pub session_id: Option<String>,
}

impl CreateCart {
    #[expect(clippy::unused_self, reason = "every command has this method")]
    pub(crate) fn needs(&self, _needs: &mut Needs) {}

    pub(crate) fn decide(
        &self,
        state: &State,
        context: &mut Context<'_>,
    ) -> Result<Decision, Rejection> {
        state.tenant().ok_or(Rejection::NotFound)?;
        let cart = Cart {
            id: context.ids.make(),
            currency: self.currency,
            customer_id: self.customer_id.clone(),
            customer_email: self.customer_email.clone(),
            session_id: self.session_id.clone(),
            items: Vec::new(),
            order_id: None,
            version: 1,
            created_at: context.now,
            updated_at: context.now,
        };
        let reply = Reply::Cart(cart.id);
        Ok(Decision::created(vec![Row::Cart(cart).into()], reply))
    }
}
