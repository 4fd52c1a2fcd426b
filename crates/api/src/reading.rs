//! Reads that endpoints share: does it exist, and one object by its id.

use axum::response::Response;
use domain::command::Reply;
use domain::ids::{CartId, CartItemId, OrderId, PaymentId, ProductId, TenantId, VariantId};
use domain::needs::Needs;
use engine::reader::Start;
use wire::problem::Problem;

use crate::call::{Call, unreadable};
use crate::operation::Subject;
use crate::respond;

/// What must be loaded to show a product.
pub(crate) fn product(id: ProductId) -> Needs {
    Needs {
        products: [id].into(),
        ..Needs::default()
    }
}

/// What must be loaded to show an order.
pub(crate) fn order(id: OrderId) -> Needs {
    Needs {
        orders: [id].into(),
        ..Needs::default()
    }
}

/// What must be loaded to show a cart.
pub(crate) fn cart(id: CartId) -> Needs {
    Needs {
        carts: [id].into(),
        ..Needs::default()
    }
}

/// What must be loaded to show a payment.
pub(crate) fn payment(id: PaymentId) -> Needs {
    Needs {
        payments: [id].into(),
        ..Needs::default()
    }
}

/// What must be loaded to show what a provider was asked for.
pub(crate) fn reply(reply: Reply) -> Needs {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "nothing else asks a provider"
    )]
    match reply {
        Reply::Payment(id) => payment(id),
        Reply::Checkout { order: id, .. } | Reply::Refund(id, _) => order(id),
        _ => Needs::default(),
    }
}

/// What must be loaded to see whether a variant exists.
pub(crate) fn variant(id: VariantId) -> Needs {
    Needs {
        variants: [id].into(),
        ..Needs::default()
    }
}

/// 404 unless what the path names is there.
pub(crate) async fn require(call: &Call, subject: Subject) -> Result<(), Problem> {
    let found = match subject {
        Subject::None => true,
        Subject::Product => !call.load(product(call.id(0)?)).await?.products.is_empty(),
        Subject::Variant => !call.load(variant(call.id(0)?)).await?.variants.is_empty(),
        Subject::Cart => cart_with_line(call).await?,
        Subject::Order => !call.load(order(call.id(0)?)).await?.orders.is_empty(),
        Subject::Payment => !call.load(payment(call.id(0)?)).await?.payments.is_empty(),
        Subject::Tenant => {
            let id: TenantId = call.id(0)?;
            let tenant = call.services.reader.tenant(id).await;
            tenant.map_err(|error| unreadable(&error))?.is_some()
        }
    };
    if found {
        Ok(())
    } else {
        Err(Problem::not_found())
    }
}

/// Cuts the page that the query asks for out of a list that was read whole; `usual` rows when it
/// asks for no number.
pub(crate) fn page(call: &Call, items: Vec<Vec<u8>>, usual: usize) -> Response {
    let page = call.query.page();
    let limit = call.query.integer("limit").map_or(usual, |_| page.limit);
    let first = match page.from {
        Start::Offset(rows) => rows,
        Start::After(..) => items.len(),
    };
    let end = first.saturating_add(limit);
    let next = (items.len() > end).then(|| wire::cursor::offset(end));
    let shown = items.into_iter().skip(first).take(limit).collect();
    respond::json(200, wire::codec::list(shown, next, &[]))
}

/// Whether the cart of the path is there, with the line of the path if it names one.
async fn cart_with_line(call: &Call) -> Result<bool, Problem> {
    let id: CartId = call.id(0)?;
    let state = call.load(cart(id)).await?;
    let line = call.id::<CartItemId>(1).ok();
    let has = |wanted: CartItemId| {
        state
            .carts
            .get(&id)
            .is_some_and(|cart| cart.items.iter().any(|item| item.id == wanted))
    };
    Ok(!state.carts.is_empty() && line.is_none_or(has))
}
