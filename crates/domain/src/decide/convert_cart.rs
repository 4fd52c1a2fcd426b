//! Makes an order of a cart, once; and starts its payment where checkout asks for that.

use super::start_payment::start;
use super::{LineRequest, Pick, PlaceOrder, settle};
use crate::apply;
use crate::cart::Cart;
use crate::command::{Context, Decision, Reply};
use crate::event::{Change, Row};
use crate::ids::{CartId, OrderId};
use crate::money::Amount;
use crate::needs::Needs;
use crate::order::Contact;
use crate::payment::Provider;
use crate::rejection::Rejection;
use crate::state::State;

/// What a payment is started with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaymentRequest {
    /// Who takes the money; the tenant's default otherwise.
    pub provider: Option<Provider>,
    /// The method within the provider.
    pub payment_method: Option<String>,
    /// Where the payer is sent afterwards.
    pub return_url: Option<String>,
    /// Where the server takes payers back that are sent nowhere else, less the provider's name.
    pub usual_return: Option<String>,
}

/// A cart to be ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConvertCart {
    /// The cart.
    pub cart_id: CartId,
    /// True where the cart stands in the body (checkout) and not in the path: an unknown one is
    /// then a fault of the body.
    pub cart_in_body: bool,
    /// The caller's own id of the customer; the cart's otherwise.
    pub customer_id: Option<String>,
    /// Who buys, and where it goes; the cart's e-mail address otherwise.
    pub contact: Contact,
    /// How it will be paid.
    pub payment_method: Option<String>,
    /// The payment to start with it.
    pub payment: Option<PaymentRequest>,
    /// The key that the caller sent.
    pub idempotency_key: Option<String>,
}

impl ConvertCart {
    pub(crate) fn needs(&self, needs: &mut Needs) {
        needs.carts.insert(self.cart_id);
    }

    pub(crate) fn decide(
        &self,
        state: &State,
        context: &mut Context<'_>,
    ) -> Result<Decision, Rejection> {
        let cart = match state.carts.get(&self.cart_id) {
            Some(cart) => cart,
            None if self.cart_in_body => return Err(Rejection::invalid("/cartId", "no such cart")),
            None => return Err(Rejection::NotFound),
        };
        if let Some(order_id) = cart.order_id {
            return self.again(state, order_id, context);
        }
        if cart.items.is_empty() {
            return Err(Rejection::CartEmpty);
        }
        let (id, mut changes) = self.order_of(cart).place(state, context)?;
        let converted = Cart {
            order_id: Some(id),
            version: cart.version.saturating_add(1),
            updated_at: context.now,
            ..cart.clone()
        };
        changes.push(Row::Cart(converted).into());
        let Some(request) = &self.payment else {
            return Ok(Decision::created(
                changes,
                Reply::Order { id, to_maker: true },
            ));
        };
        let payment = start_on_top(state, &mut changes, id, request, context)?;
        Ok(Decision::created(
            changes,
            Reply::Checkout {
                order: id,
                payment: Some(payment),
            },
        ))
    }

    /// The cart was ordered before: the same order, with a payment if it still wants one.
    fn again(
        &self,
        state: &State,
        order_id: OrderId,
        context: &mut Context<'_>,
    ) -> Result<Decision, Rejection> {
        let order = state.orders.get(&order_id).ok_or(Rejection::NotFound)?;
        let Some(request) = &self.payment else {
            return Ok(Decision::repeated(Reply::Order {
                id: order_id,
                to_maker: true,
            }));
        };
        let known = settle::pending_payment(state, order_id).or_else(|| {
            state
                .payments_of(order_id)
                .last()
                .filter(|_| !order.is_unpaid())
        });
        if known.is_some() || !order.is_unpaid() {
            let payment = known.map(|payment| payment.id);
            return Ok(Decision::repeated(Reply::Checkout {
                order: order_id,
                payment,
            }));
        }
        let (payment, changes) = start(state, order, request, context)?;
        let reply = Reply::Checkout {
            order: order_id,
            payment: Some(payment),
        };
        Ok(Decision {
            repeated: true,
            ..Decision::changed(changes, reply)
        })
    }

    fn order_of(&self, cart: &Cart) -> PlaceOrder {
        let mut contact = self.contact.clone();
        if contact.customer_email.is_none() {
            contact.customer_email.clone_from(&cart.customer_email);
        }
        let line = |item: &crate::cart::CartItem| LineRequest {
            pick: Pick {
                variant_id: Some(item.variant_id),
                ..Pick::default()
            },
            quantity: item.quantity,
            location_id: None,
            discount: Amount::ZERO,
        };
        PlaceOrder {
            lines: cart.items.iter().map(line).collect(),
            customer_id: self
                .customer_id
                .clone()
                .or_else(|| cart.customer_id.clone()),
            contact,
            payment_method: self.payment_method.clone(),
            cart_id: Some(cart.id),
            idempotency_key: self.idempotency_key.clone(),
            ..PlaceOrder::default()
        }
    }
}

/// Starts the payment of an order that the same decision makes: on a copy of the few rows that
/// matter, with the order's changes applied.
fn start_on_top(
    state: &State,
    changes: &mut Vec<Change>,
    order_id: OrderId,
    request: &PaymentRequest,
    context: &mut Context<'_>,
) -> Result<crate::ids::PaymentId, Rejection> {
    let mut ahead = State {
        lane: state.lane,
        tenant_id: state.tenant_id,
        tenants: state.tenants.clone(),
        locations: state.locations.clone(),
        ..State::default()
    };
    for change in changes.iter() {
        apply::apply(&mut ahead, change, context.now);
    }
    let order = ahead
        .orders
        .get(&order_id)
        .cloned()
        .ok_or(Rejection::NotFound)?;
    let (payment, started) = start(&ahead, &order, request, context)?;
    changes.extend(started);
    Ok(payment)
}
