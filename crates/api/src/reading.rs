//! Reads that endpoints share: does it exist, and one object by its id.

use domain::ids::{CartId, OrderId, PaymentId, ProductId, TenantId, VariantId};
use domain::needs::Needs;
use wire::problem::Problem;

use crate::call::{Call, unreadable};
use crate::operation::Subject;

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
        Subject::Cart => !call.load(cart(call.id(0)?)).await?.carts.is_empty(),
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
