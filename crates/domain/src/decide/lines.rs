//! Lines that callers name by product, variant or code, found in the catalogue and priced.

use crate::catalogue::{Product, ProductStatus, Variant};
use crate::command::Context;
use crate::ids::{LocationId, ProductId, VariantId};
use crate::limits::{LINES_MAX, QUANTITY_MAX};
use crate::money::{Amount, Currency};
use crate::needs::Needs;
use crate::order::OrderItem;
use crate::pricing;
use crate::rejection::{Fault, Rejection};
use crate::state::State;

/// How a caller names what it wants; at least one of the three.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pick {
    /// By product; enough alone when the product has one variant.
    pub product_id: Option<ProductId>,
    /// By variant.
    pub variant_id: Option<VariantId>,
    /// By code.
    pub sku: Option<String>,
}

impl Pick {
    pub(super) fn needs(&self, needs: &mut Needs) {
        needs.products.extend(self.product_id);
        needs.variants.extend(self.variant_id);
        needs.skus.extend(self.sku.clone());
    }

    /// The variant that is meant, with its product; or the fault, with the pointer below `at`.
    pub(super) fn find<'a>(
        &self,
        state: &'a State,
        at: &str,
    ) -> Result<(&'a Product, &'a Variant), Fault> {
        let fault = |field: &str, message: &str| Fault {
            pointer: format!("{at}/{field}"),
            message: message.to_owned(),
        };
        let variant = if let Some(id) = self.variant_id {
            state
                .variants
                .get(&id)
                .ok_or_else(|| fault("variant_id", "no such variant"))?
        } else if let Some(sku) = &self.sku {
            let id = state
                .skus
                .get(sku)
                .ok_or_else(|| fault("sku", "no such SKU"))?;
            state
                .variants
                .get(id)
                .ok_or_else(|| fault("sku", "no such SKU"))?
        } else if let Some(product_id) = self.product_id {
            match *state.variants_of(product_id).as_slice() {
                [] => return Err(fault("product_id", "no such product")),
                [only] => only,
                [..] => {
                    return Err(fault(
                        "variant_id",
                        "the product has several variants; name one",
                    ));
                }
            }
        } else {
            return Err(fault(
                "variant_id",
                "name a product_id, a variant_id or a sku",
            ));
        };
        if self.product_id.is_some_and(|id| id != variant.product_id) {
            return Err(fault(
                "product_id",
                "the variant belongs to another product",
            ));
        }
        if self
            .sku
            .as_ref()
            .is_some_and(|sku| Some(sku) != variant.sku.as_ref())
        {
            return Err(fault("sku", "the variant has another SKU"));
        }
        let product = state
            .products
            .get(&variant.product_id)
            .ok_or_else(|| fault("product_id", "no such product"))?;
        if product.status == ProductStatus::Archived {
            return Err(fault("product_id", "the product is no longer sold"));
        }
        Ok((product, variant))
    }
}

/// One line of an order as its caller wishes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineRequest {
    /// What.
    pub pick: Pick,
    /// Units, 1 to 1,000,000.
    pub quantity: i64,
    /// The only location that may give them.
    pub location_id: Option<LocationId>,
    /// Taken off this line.
    pub discount: Amount,
}

pub(super) fn needs(lines: &[LineRequest], needs: &mut Needs) {
    for line in lines {
        line.pick.needs(needs);
    }
}

/// Whether a number of units may stand in one line.
pub(super) fn check_quantity(quantity: i64, pointer: &str) -> Result<(), Fault> {
    if (1..=QUANTITY_MAX).contains(&quantity) {
        return Ok(());
    }
    let message = format!("must be between 1 and {QUANTITY_MAX}");
    Err(Fault {
        pointer: pointer.to_owned(),
        message,
    })
}

/// Finds and prices every line, or lists every fault.
pub(super) fn price_lines(
    state: &State,
    lines: &[LineRequest],
    context: &mut Context<'_>,
) -> Result<(Vec<OrderItem>, Currency), Rejection> {
    if lines.is_empty() || lines.len() > LINES_MAX {
        return Err(Rejection::invalid(
            "/items",
            format!("must have 1 to {LINES_MAX} lines"),
        ));
    }
    let mut faults = Vec::new();
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let at = format!("/items/{index}");
        if let Err(fault) = check_quantity(line.quantity, &format!("{at}/quantity")) {
            faults.push(fault);
        }
        if line
            .location_id
            .is_some_and(|id| !state.locations.contains(&id))
        {
            faults.push(Fault {
                pointer: format!("{at}/location_id"),
                message: "no such location".to_owned(),
            });
        }
        match line.pick.find(state, &at) {
            Ok(pair) => found.push((line, pair)),
            Err(fault) => faults.push(fault),
        }
    }
    if !faults.is_empty() {
        return Err(Rejection::Invalid(faults));
    }
    let mut items = Vec::new();
    let mut currency = None;
    for (index, (line, (product, variant))) in found.into_iter().enumerate() {
        if *currency.get_or_insert(product.currency) != product.currency {
            return Err(Rejection::CurrencyMismatch);
        }
        let price = variant.unit_price;
        let total_price = pricing::line_total(index, price, line.quantity, line.discount)?;
        items.push(OrderItem {
            id: context.ids.make(),
            product_id: product.id,
            variant_id: variant.id,
            location_id: line.location_id,
            location_forced: line.location_id.is_some(),
            sku: variant.sku.clone(),
            title: product.title.clone(),
            variant_title: variant.title.clone(),
            options: variant.options.clone(),
            quantity: line.quantity,
            unit_price: price,
            discount: line.discount,
            total_price,
        });
    }
    let currency = currency.ok_or_else(|| Rejection::invalid("/items", "must have lines"))?;
    Ok((items, currency))
}
