//! Takes a line out of a cart.

use super::add_cart_item::{check_open, save};
use crate::command::{Context, Decision};
use crate::ids::{CartId, CartItemId};
use crate::needs::Needs;
use crate::rejection::Rejection;
use crate::state::State;

/// The line to take out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoveCartItem {
    /// The cart.
    pub cart_id: CartId,
    /// The line.
    pub item_id: CartItemId,
}

impl RemoveCartItem {
    pub(crate) fn needs(&self, needs: &mut Needs) {
        needs.carts.insert(self.cart_id);
    }

    pub(crate) fn decide(
        &self,
        state: &State,
        context: &mut Context<'_>,
    ) -> Result<Decision, Rejection> {
        let mut cart = state
            .carts
            .get(&self.cart_id)
            .ok_or(Rejection::NotFound)?
            .clone();
        let lines = cart.items.len();
        cart.items.retain(|item| item.id != self.item_id);
        if cart.items.len() == lines {
            return Err(Rejection::NotFound);
        }
        check_open(&cart)?;
        save(cart, context)
    }
}
