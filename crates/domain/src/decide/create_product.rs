//! Adds a product with its variants and their first stock.

use crate::catalogue::{Product, ProductStatus, Variant};
use crate::command::{Context, Decision, Reply};
use crate::event::{Change, Event, ProductChange};
use crate::ids::ProductId;
use crate::limits::{STOCK_MAX, VARIANTS_MAX};
use crate::money::{Amount, Currency};
use crate::needs::Needs;
use crate::rejection::{Fault, Rejection};
use crate::state::State;

/// A new variant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewVariant {
    /// Its code.
    pub sku: Option<String>,
    /// Its name; made of the options' values otherwise.
    pub title: Option<String>,
    /// Option names and values.
    pub options: Vec<(String, String)>,
    /// Price of one unit.
    pub unit_price: Amount,
    /// Units at the default location.
    pub stock_quantity: i64,
}

impl NewVariant {
    fn title(&self) -> String {
        let of_options = || {
            let values: Vec<&str> = self
                .options
                .iter()
                .map(|(_, value)| value.as_str())
                .collect();
            if values.is_empty() {
                "Default".to_owned()
            } else {
                values.join(" / ")
            }
        };
        self.title.clone().unwrap_or_else(of_options)
    }

    /// The variant at `position` of a product.
    pub(super) fn build(
        &self,
        product_id: ProductId,
        position: i64,
        context: &mut Context<'_>,
    ) -> Variant {
        Variant {
            id: context.ids.make(),
            product_id,
            position,
            sku: self.sku.clone(),
            title: self.title(),
            options: self.options.clone(),
            unit_price: self.unit_price,
            version: 1,
        }
    }

    /// The event that gives the variant its level at the default location.
    pub(super) fn first_stock(&self, state: &State, variant: &Variant) -> Option<Change> {
        let location = state.default_location()?;
        let level = (variant.id, location);
        let (stock_quantity, low_stock_threshold, backorder_limit) = (self.stock_quantity, None, 0);
        let set = Event::StockSet {
            level,
            stock_quantity,
            low_stock_threshold,
            backorder_limit,
        };
        Some(set.into())
    }
}

/// A new product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateProduct {
    /// The name by which it is known outside, unique in the tenant.
    pub handle: Option<String>,
    /// Its name.
    pub title: String,
    /// A longer text.
    pub description: Option<String>,
    /// The currency of its prices; the tenant's default otherwise.
    pub currency: Option<Currency>,
    /// Its variants, 1 to 100.
    pub variants: Vec<NewVariant>,
}

impl CreateProduct {
    pub(crate) fn needs(&self, needs: &mut Needs) {
        needs.handles.extend(self.handle.clone());
        needs.skus.extend(
            self.variants
                .iter()
                .filter_map(|variant| variant.sku.clone()),
        );
    }

    pub(crate) fn decide(
        &self,
        state: &State,
        context: &mut Context<'_>,
    ) -> Result<Decision, Rejection> {
        let settings = state.settings().ok_or(Rejection::NotFound)?;
        if self.variants.is_empty() || self.variants.len() > VARIANTS_MAX {
            let message = format!("must have 1 to {VARIANTS_MAX} variants");
            return Err(Rejection::invalid("/variants", message));
        }
        check_variants(state, &self.variants, 0)?;
        let known = self.handle.as_ref().and_then(|h| state.handles.get(h));
        if known.is_some() {
            let message = "another product has this handle";
            return Err(Rejection::invalid("/handle", message));
        }
        let product = Product {
            id: context.ids.make(),
            handle: self.handle.clone(),
            title: self.title.clone(),
            description: self.description.clone(),
            status: ProductStatus::Active,
            currency: self.currency.unwrap_or(settings.default_currency),
            version: 1,
            created_at: context.now,
            updated_at: context.now,
        };
        let id = product.id;
        let mut variants = Vec::new();
        let mut stock = Vec::new();
        for (position, new) in (0..).zip(&self.variants) {
            let variant = new.build(id, position, context);
            stock.extend(new.first_stock(state, &variant));
            variants.push(variant);
        }
        let change = ProductChange::Created;
        let mut changes = vec![
            Event::ProductSaved {
                change,
                product,
                variants,
            }
            .into(),
        ];
        changes.extend(stock);
        Ok(Decision::created(changes, Reply::Product(id)))
    }
}

/// Lists new variants whose code is taken, in the tenant or among themselves, or whose figures
/// leave the bounds. `first` is the index of the first one in the request.
pub(super) fn check_variants(
    state: &State,
    variants: &[NewVariant],
    first: usize,
) -> Result<(), Rejection> {
    let mut faults = Vec::new();
    for (index, variant) in variants.iter().enumerate() {
        let place = index.saturating_add(first);
        let mut fault = |field: &str, message: &str| {
            let pointer = format!("/variants/{place}/{field}");
            faults.push(Fault {
                pointer,
                message: message.to_owned(),
            });
        };
        if let Some(sku) = &variant.sku {
            let before = variants.iter().take(index);
            let twice = before
                .filter(|other| other.sku.as_ref() == Some(sku))
                .count()
                > 0;
            if twice || state.skus.contains_key(sku) {
                fault("sku", "another variant has this SKU");
            }
        }
        if variant.unit_price < Amount::ZERO {
            fault("unit_price", "must not be below 0");
        }
        if !(0..=STOCK_MAX).contains(&variant.stock_quantity) {
            fault("stock_quantity", "must be between 0 and 1000000000");
        }
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Rejection::Invalid(faults))
    }
}
