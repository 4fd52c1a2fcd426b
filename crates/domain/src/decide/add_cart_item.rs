//! Puts units of a variant into a cart: onto its line if there is one.

use super::{Pick, lines};
use crate::cart::{Cart, CartItem};
use crate::command::{Context, Decision, Reply};
use crate::event::Row;
use crate::ids::CartId;
use crate::limits::{LINES_MAX, QUANTITY_MAX};
use crate::needs::Needs;
use crate::rejection::Rejection;
use crate::state::State;

/// Units to add; ten clicks are ten more, whatever else happens meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddCartItem {
    /// The cart.
    pub cart_id: CartId,
    /// What.
    pub pick: Pick,
    /// Units.
    pub quantity: i64,
}

impl AddCartItem {
    pub(crate) fn needs(&self, needs: &mut Needs) {
        needs.carts.insert(self.cart_id);
        self.pick.needs(needs);
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
        let faults = |fault| Rejection::Invalid(vec![fault]);
        lines::check_quantity(self.quantity, "/quantity").map_err(faults)?;
        let (product, variant) = self.pick.find(state, "").map_err(faults)?;
        if *cart.currency.get_or_insert(product.currency) != product.currency {
            return Err(Rejection::CurrencyMismatch);
        }
        check_open(&cart)?;
        let known = cart
            .items
            .iter_mut()
            .find(|item| item.variant_id == variant.id);
        if let Some(item) = known {
            let sum = item.quantity.saturating_add(self.quantity);
            if sum > QUANTITY_MAX {
                let message = format!("the line would exceed {QUANTITY_MAX} units");
                return Err(Rejection::invalid("/quantity", message));
            }
            item.quantity = sum;
            item.unit_price = variant.unit_price;
        } else {
            if cart.items.len() >= LINES_MAX {
                let message = format!("a cart has at most {LINES_MAX} lines");
                return Err(Rejection::invalid("", message));
            }
            cart.items.push(CartItem {
                id: context.ids.make(),
                product_id: product.id,
                variant_id: variant.id,
                sku: variant.sku.clone(),
                title: product.title.clone(),
                quantity: self.quantity,
                unit_price: variant.unit_price,
            });
        }
        save(cart, context)
    }
}

/// Refuses a cart that has become an order.
pub(super) fn check_open(cart: &Cart) -> Result<(), Rejection> {
    if cart.order_id.is_some() {
        return Err(Rejection::CartConverted);
    }
    Ok(())
}

/// Checks the cart's sum and writes it as its next version.
pub(super) fn save(mut cart: Cart, context: &Context<'_>) -> Result<Decision, Rejection> {
    let mut sum = crate::money::Amount::ZERO;
    for item in &cart.items {
        sum = sum.plus(item.unit_price.times(item.quantity)?)?;
    }
    let id = cart.id;
    cart.version = cart.version.saturating_add(1);
    cart.updated_at = context.now;
    Ok(Decision::changed(
        vec![Row::Cart(cart).into()],
        Reply::Cart(id),
    ))
}
