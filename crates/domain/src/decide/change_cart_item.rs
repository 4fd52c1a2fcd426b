//! Changes the units of a cart's line.

use super::add_cart_item::{check_open, save};
use super::lines;
use crate::command::{Context, Decision};
use crate::ids::{CartId, CartItemId};
use crate::needs::Needs;
use crate::rejection::Rejection;
use crate::state::State;

/// Units to have, or units more (or fewer, below zero).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuantityChange {
    /// So many from now on.
    To(i64),
    /// So many more.
    By(i64),
}

/// A change of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeCartItem {
    /// The cart.
    pub cart_id: CartId,
    /// The line.
    pub item_id: CartItemId,
    /// What changes.
    pub change: QuantityChange,
}

impl ChangeCartItem {
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
        if !cart.items.iter().any(|item| item.id == self.item_id) {
            return Err(Rejection::NotFound);
        }
        check_open(&cart)?;
        for item in cart.items.iter_mut().filter(|item| item.id == self.item_id) {
            let (quantity, pointer) = match self.change {
                QuantityChange::To(quantity) => (quantity, "/quantity"),
                QuantityChange::By(delta) => (item.quantity.saturating_add(delta), "/delta"),
            };
            lines::check_quantity(quantity, pointer)
                .map_err(|fault| Rejection::Invalid(vec![fault]))?;
            item.quantity = quantity;
        }
        save(cart, context)
    }
}
