//! Changes a product and its variants, adds variants, archives it or puts it back on sale.

use super::NewVariant;
use super::create_product::check_variants;
use crate::catalogue::{Product, ProductStatus, Variant};
use crate::command::{Context, Decision, Reply};
use crate::event::{Change, Event, ProductChange};
use crate::ids::{ProductId, VariantId};
use crate::limits::VARIANTS_MAX;
use crate::money::Amount;
use crate::needs::Needs;
use crate::rejection::{Fault, Rejection};
use crate::state::State;

/// A change of one variant; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VariantChange {
    /// The variant; the only one of a simple product otherwise.
    pub id: Option<VariantId>,
    /// Its code; `Some(None)` takes it away.
    pub sku: Option<Option<String>>,
    /// Its name.
    pub title: Option<String>,
    /// Its options.
    pub options: Option<Vec<(String, String)>>,
    /// Its price.
    pub unit_price: Option<Amount>,
}

/// A change of a product; what is `None` stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeProduct {
    /// The product.
    pub product_id: ProductId,
    /// Its name.
    pub title: Option<String>,
    /// Its text; `Some(None)` takes it away.
    pub description: Option<Option<String>>,
    /// Whether it is sold.
    pub status: Option<ProductStatus>,
    /// Changes of its variants.
    pub variants: Vec<VariantChange>,
    /// Variants to add; in the request they stand after the changed ones.
    pub new_variants: Vec<NewVariant>,
    /// The version that the caller saw: the product's with all its variants and levels.
    pub version: Option<i64>,
}

impl ChangeProduct {
    pub(crate) fn needs(&self, needs: &mut Needs) {
        needs.products.insert(self.product_id);
        needs.skus.extend(
            self.variants
                .iter()
                .filter_map(|change| change.sku.clone().flatten()),
        );
        needs.skus.extend(
            self.new_variants
                .iter()
                .filter_map(|variant| variant.sku.clone()),
        );
    }

    pub(crate) fn decide(
        &self,
        state: &State,
        context: &mut Context<'_>,
    ) -> Result<Decision, Rejection> {
        let product = state
            .products
            .get(&self.product_id)
            .ok_or(Rejection::NotFound)?;
        let known = state.variants_of(product.id);
        if known.len().saturating_add(self.new_variants.len()) > VARIANTS_MAX {
            let message = format!("a product has at most {VARIANTS_MAX} variants");
            return Err(Rejection::invalid("/variants", message));
        }
        check_variants(state, &self.new_variants, self.variants.len())?;
        let mut variants = self.changed_variants(state, &known)?;
        if self
            .version
            .is_some_and(|version| version != shown_version(state, product))
        {
            return Err(Rejection::VersionConflict);
        }
        let mut stock: Vec<Change> = Vec::new();
        let next = known
            .iter()
            .map(|variant| variant.position)
            .max()
            .unwrap_or(-1);
        for (offset, new) in (1..).zip(&self.new_variants) {
            let variant = new.build(product.id, next.saturating_add(offset), context);
            stock.extend(new.first_stock(state, &variant));
            variants.push(variant);
        }
        let status = self.status.unwrap_or(product.status);
        let archived =
            status == ProductStatus::Archived && product.status != ProductStatus::Archived;
        let change = if archived {
            ProductChange::Archived
        } else {
            ProductChange::Updated
        };
        let product = Product {
            title: self.title.clone().unwrap_or_else(|| product.title.clone()),
            description: self
                .description
                .clone()
                .unwrap_or_else(|| product.description.clone()),
            status,
            version: product.version.saturating_add(1),
            updated_at: context.now,
            ..product.clone()
        };
        let reply = Reply::Product(product.id);
        let mut changes = vec![
            Event::ProductSaved {
                change,
                product,
                variants,
            }
            .into(),
        ];
        changes.extend(stock);
        Ok(Decision::changed(changes, reply))
    }

    fn changed_variants(
        &self,
        state: &State,
        known: &[&Variant],
    ) -> Result<Vec<Variant>, Rejection> {
        let mut faults = Vec::new();
        let mut variants: Vec<Variant> = Vec::new();
        for (index, change) in self.variants.iter().enumerate() {
            let mut fault = |field: &str, message: &str| {
                let pointer = format!("/variants/{index}/{field}");
                faults.push(Fault {
                    pointer,
                    message: message.to_owned(),
                });
            };
            let found = match (change.id, known) {
                (Some(id), _) => known.iter().find(|variant| variant.id == id),
                (None, [only]) => Some(only),
                (None, _) => None,
            };
            let Some(variant) = found else {
                fault("id", "no such variant of this product");
                continue;
            };
            let sku = change.sku.clone().unwrap_or_else(|| variant.sku.clone());
            let owner = sku.as_ref().and_then(|sku| state.skus.get(sku));
            let new = self.new_variants.iter().any(|new| new.sku == sku);
            let twice = sku.is_some() && (new || variants.iter().any(|other| other.sku == sku));
            if owner.is_some_and(|id| *id != variant.id) || twice {
                fault("sku", "another variant has this SKU");
            }
            if variants.iter().any(|other| other.id == variant.id) {
                fault("id", "the variant is named twice");
            }
            variants.push(Variant {
                sku,
                title: change
                    .title
                    .clone()
                    .unwrap_or_else(|| variant.title.clone()),
                options: change
                    .options
                    .clone()
                    .unwrap_or_else(|| variant.options.clone()),
                unit_price: change.unit_price.unwrap_or(variant.unit_price),
                version: variant.version.saturating_add(1),
                ..(*variant).clone()
            });
        }
        if faults.is_empty() {
            Ok(variants)
        } else {
            Err(Rejection::Invalid(faults))
        }
    }
}

/// The version that clients see of a product: it rises with everything that they see change.
#[must_use]
pub fn shown_version(state: &State, product: &Product) -> i64 {
    state
        .variants_of(product.id)
        .iter()
        .fold(product.version, |sum, variant| {
            sum.saturating_add(shown_variant_version(state, variant))
        })
}

/// The version that clients see of a variant: its own row's and its levels'.
#[must_use]
pub fn shown_variant_version(state: &State, variant: &Variant) -> i64 {
    state
        .levels_of(variant.id)
        .fold(variant.version, |sum, level| {
            sum.saturating_add(level.version)
        })
}
