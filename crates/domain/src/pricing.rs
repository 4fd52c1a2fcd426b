//! What an order costs.

use crate::money::Amount;
use crate::order::{OrderItem, Totals};
use crate::rejection::{Fault, Rejection};
use crate::tenant::Settings;

/// What the caller says about an order's money; the rest comes from the tenant's settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Charges {
    /// Taken off the whole order.
    pub discount: Amount,
    /// Tax instead of the tenant's rate.
    pub tax: Option<Amount>,
    /// Shipping instead of the tenant's fee.
    pub shipping: Option<Amount>,
}

/// `unit_price × quantity − discount`, or a fault at the line.
pub fn line_total(
    index: usize,
    unit_price: Amount,
    quantity: i64,
    discount: Amount,
) -> Result<Amount, Rejection> {
    let gross = unit_price.times(quantity)?;
    if discount > gross {
        let pointer = format!("/items/{index}/discount");
        return Err(Rejection::invalid(
            pointer,
            format!("must not exceed the line's {gross}"),
        ));
    }
    gross.minus(discount)
}

/// Sums an order up. Tax is `tax_rate_bps` of the discounted subtotal, rounded half up: on top
/// of it, or contained in it where prices include tax.
pub fn totals(
    items: &[OrderItem],
    charges: Charges,
    settings: &Settings,
) -> Result<Totals, Rejection> {
    let mut subtotal = Amount::ZERO;
    for item in items {
        subtotal = subtotal.plus(item.total_price)?;
    }
    if charges.discount > subtotal {
        return Err(Rejection::Invalid(vec![Fault {
            pointer: "/discount_amount".to_owned(),
            message: format!("must not exceed the subtotal of {subtotal}"),
        }]));
    }
    let base = subtotal.minus(charges.discount)?;
    let rate = settings.tax_rate_bps;
    let tax_amount = match charges.tax {
        Some(tax) => tax,
        None if settings.tax_inclusive => base.ratio(rate, rate.saturating_add(10_000))?,
        None => base.ratio(rate, 10_000)?,
    };
    let shipping_fee = match (charges.shipping, settings.free_shipping_over) {
        (Some(fee), _) => fee,
        (None, Some(over)) if base >= over => Amount::ZERO,
        (None, _) => settings.shipping_flat_fee,
    };
    let contained = base.plus(shipping_fee)?;
    if settings.tax_inclusive && tax_amount > contained {
        return Err(Rejection::Invalid(vec![Fault {
            pointer: "/tax_amount".to_owned(),
            message: format!("is contained in the total, and must not exceed {contained}"),
        }]));
    }
    let added_tax = if settings.tax_inclusive {
        Amount::ZERO
    } else {
        tax_amount
    };
    let total_amount = base.plus(added_tax)?.plus(shipping_fee)?;
    Ok(Totals {
        subtotal,
        discount_amount: charges.discount,
        tax_amount,
        shipping_fee,
        total_amount,
    })
}
