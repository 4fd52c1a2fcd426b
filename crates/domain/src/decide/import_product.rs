//! Makes a product as a file says it is, or brings one in line with it. Doing it twice changes
//! nothing.

mod matching;
mod stock;

use crate::catalogue::{Product, ProductStatus, Variant};
use crate::command::{Context, Decision, Imported, Outcome, Reply};
use crate::event::{Change, Event, ProductChange};
use crate::ids::{ProductId, TypedId as _, Uuid};
use crate::limits::VARIANTS_MAX;
use crate::money::{Amount, Currency};
use crate::needs::Needs;
use crate::rejection::{Fault, Rejection};
use crate::state::State;

use super::NewVariant;

/// What an import does with the stock that a file names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StockRule {
    /// Sets levels that do not exist yet. What was sold since a first import stays sold.
    #[default]
    New,
    /// Sets all levels, as after a count.
    Set,
    /// Sets none.
    Keep,
}

/// A level as a file gives it; what is `None` stays, or is zero for a new one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportedLevel {
    /// The location's code; the default one otherwise.
    pub location: Option<String>,
    /// Units on hand.
    pub stock_quantity: Option<i64>,
    /// The level's own low-stock threshold.
    pub low_stock_threshold: Option<i64>,
    /// Units that may be sold beyond what is on hand.
    pub backorder_limit: Option<i64>,
}

/// A variant as a file gives it: known by its code, else by its options.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportedVariant {
    /// Its code.
    pub sku: Option<String>,
    /// Its name; made of the options' values for a new one, kept otherwise.
    pub title: Option<String>,
    /// Option names and values.
    pub options: Vec<(String, String)>,
    /// Price of one unit.
    pub unit_price: Amount,
    /// Its stock, by location.
    pub stock: Vec<ImportedLevel>,
}

/// A product as a file gives it: known by its handle, else by its variants' codes. What is `None`
/// stays; variants that the file leaves out stay, too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportProduct {
    /// Its name outside, unique in the tenant.
    pub handle: Option<String>,
    /// Its name; a new product wants one.
    pub title: Option<String>,
    /// A longer text.
    pub description: Option<String>,
    /// The currency of its prices; the tenant's default otherwise.
    pub currency: Option<Currency>,
    /// Whether it is sold.
    pub status: Option<ProductStatus>,
    /// Its variants, 1 to 100.
    pub variants: Vec<ImportedVariant>,
    /// What happens to stock.
    pub stock: StockRule,
    /// Only say what would be done.
    pub dry_run: bool,
}

/// Collects faults by their place in the line.
#[derive(Default)]
struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, pointer: impl Into<String>, message: impl Into<String>) {
        self.0.push(Fault {
            pointer: pointer.into(),
            message: message.into(),
        });
    }

    fn of_variant(&mut self, index: usize, field: &str, message: impl Into<String>) {
        self.add(format!("/variants/{index}/{field}"), message);
    }
}

impl ImportProduct {
    pub(crate) fn needs(&self, needs: &mut Needs) {
        needs.handles.extend(self.handle.clone());
        needs.products.extend(self.by_id());
        let skus = self.variants.iter().filter_map(|v| v.sku.clone());
        needs.product_skus.extend(skus);
    }

    pub(crate) fn decide(
        &self,
        state: &State,
        context: &mut Context<'_>,
    ) -> Result<Decision, Rejection> {
        let mut faults = Faults::default();
        self.check(&mut faults);
        let known = matching::product(state, self, &mut faults);
        if !faults.0.is_empty() {
            return Err(Rejection::Invalid(faults.0));
        }
        let product = self.product(state, known, context, &mut faults)?;
        let planned = self.variants(state, &product, context, &mut faults);
        let levels = stock::levels(state, self, &planned, &mut faults);
        if !faults.0.is_empty() {
            return Err(Rejection::Invalid(faults.0));
        }
        Ok(self.decision(known, product, (planned, levels), context))
    }

    /// An export calls a product without a handle by its id.
    fn by_id(&self) -> Option<ProductId> {
        let id: Result<Uuid, _> = self.handle.as_ref()?.parse();
        id.ok().map(ProductId::from_uuid)
    }

    /// What can be said without looking at the shop.
    fn check(&self, faults: &mut Faults) {
        if self.variants.is_empty() || self.variants.len() > VARIANTS_MAX {
            let many = self.variants.len();
            let message = format!("must have 1 to {VARIANTS_MAX} variants, not {many}");
            faults.add("/variants", message);
        }
        if self.handle.is_none() && self.variants.iter().all(|v| v.sku.is_none()) {
            let message = "a handle or a SKU is needed to know the product by";
            faults.add("/handle", message);
        }
        for (index, variant) in self.variants.iter().enumerate() {
            if variant.unit_price < Amount::ZERO {
                faults.of_variant(index, "unit_price", "must not be below 0");
            }
            let mut before = self.variants.iter().take(index);
            if before.any(|other| matching::same(other, variant)) {
                let message = "the same variant stands twice";
                faults.of_variant(index, matching::place(variant), message);
            }
        }
    }

    /// The product as it is to be.
    fn product(
        &self,
        state: &State,
        known: Option<&Product>,
        context: &mut Context<'_>,
        faults: &mut Faults,
    ) -> Result<Product, Rejection> {
        let settings = state.settings().ok_or(Rejection::NotFound)?;
        let currency = self.currency.unwrap_or(settings.default_currency);
        let Some(known) = known else {
            if self.title.is_none() {
                faults.add("/title", "is required for a new product");
            }
            return Ok(Product {
                id: context.ids.make(),
                handle: self.handle.clone(),
                title: self.title.clone().unwrap_or_default(),
                description: self.description.clone(),
                status: self.status.unwrap_or(ProductStatus::Active),
                currency,
                version: 1,
                created_at: context.now,
                updated_at: context.now,
            });
        };
        if self.currency.is_some_and(|given| given != known.currency) {
            let message = format!("the product is priced in {}", known.currency.code());
            faults.add("/currency", message);
        }
        let own_id = self.by_id() == Some(known.id);
        let handle = self.handle.clone().filter(|_| !own_id);
        let or_kept =
            |given: &Option<String>, kept: &Option<String>| given.clone().or_else(|| kept.clone());
        Ok(Product {
            handle: or_kept(&handle, &known.handle),
            title: self.title.clone().unwrap_or_else(|| known.title.clone()),
            description: or_kept(&self.description, &known.description),
            status: self.status.unwrap_or(known.status),
            ..known.clone()
        })
    }

    /// The variants of the file as they are to be, in the file's order.
    fn variants(
        &self,
        state: &State,
        product: &Product,
        context: &mut Context<'_>,
        faults: &mut Faults,
    ) -> Vec<Planned> {
        let had = state.variants_of(product.id);
        let mut next = had.iter().map(|v| v.position).max().unwrap_or(-1);
        let mut planned: Vec<Planned> = Vec::with_capacity(self.variants.len());
        for (index, given) in self.variants.iter().enumerate() {
            let found = matching::variant(&had, given);
            let owner = given.sku.as_ref().and_then(|sku| state.skus.get(sku));
            if owner.is_some_and(|owner| found.is_none_or(|found| found.id != *owner)) {
                faults.of_variant(index, "sku", "another variant has this SKU");
            }
            if let (None, Some(sku)) = (found, matching::renamed(&had, given, self)) {
                let message =
                    format!("the shop has this variant under SKU {sku:?}; change it there");
                faults.of_variant(index, "sku", message);
            }
            if found.is_some_and(|found| planned.iter().any(|other| other.after.id == found.id)) {
                let message = "the same variant stands twice";
                faults.of_variant(index, matching::place(given), message);
            }
            planned.push(if let Some(found) = found {
                given.onto(found)
            } else {
                next = next.saturating_add(1);
                let before = None;
                let after = given.as_new().build(product.id, next, context);
                Planned { before, after }
            });
        }
        let new = planned.iter().filter(|plan| plan.before.is_none()).count();
        let count = had.len().saturating_add(new);
        if count > VARIANTS_MAX {
            let most = VARIANTS_MAX;
            faults.add("/variants", format!("would be {count}, at most {most}"));
        }
        planned
    }

    /// What is different, as events; nothing where nothing is.
    fn decision(
        &self,
        known: Option<&Product>,
        product: Product,
        (planned, levels): (Vec<Planned>, Vec<Change>),
        context: &Context<'_>,
    ) -> Decision {
        let new = planned.iter().filter(|plan| plan.before.is_none()).count();
        let differs = |plan: &Planned| plan.before.as_ref() != Some(&plan.after);
        let changed: Vec<Variant> = planned
            .into_iter()
            .filter(differs)
            .map(|plan| plan.after)
            .collect();
        let own = known != Some(&product);
        let outcome = match known {
            None => Outcome::Created,
            Some(_) if own || !changed.is_empty() || !levels.is_empty() => Outcome::Updated,
            Some(_) => Outcome::Unchanged,
        };
        let imported = Imported {
            outcome,
            product_id: (known.is_some() || !self.dry_run).then_some(product.id),
            variants_created: new,
            variants_updated: changed.len().saturating_sub(new),
            levels_set: levels.len(),
        };
        let mut changes: Vec<Change> = Vec::new();
        if !self.dry_run {
            if own || !changed.is_empty() {
                changes.push(saved(known, product, changed, context));
            }
            changes.extend(levels);
        }
        Decision {
            created: outcome == Outcome::Created,
            ..Decision::changed(changes, Reply::Imported(imported))
        }
    }
}

fn saved(
    known: Option<&Product>,
    product: Product,
    variants: Vec<Variant>,
    context: &Context<'_>,
) -> Change {
    let gone = product.status == ProductStatus::Archived;
    let change = match known {
        None => ProductChange::Created,
        Some(known) if gone && known.status != product.status => ProductChange::Archived,
        Some(_) => ProductChange::Updated,
    };
    let version = known.map_or(1, |known| known.version.saturating_add(1));
    let product = Product {
        version,
        updated_at: context.now,
        ..product
    };
    Event::ProductSaved {
        change,
        product,
        variants,
    }
    .into()
}

/// A variant of the file: as the shop has it, and as it is to be.
struct Planned {
    before: Option<Variant>,
    after: Variant,
}

impl ImportedVariant {
    fn as_new(&self) -> NewVariant {
        NewVariant {
            sku: self.sku.clone(),
            title: self.title.clone(),
            options: self.options.clone(),
            unit_price: self.unit_price,
            stock_quantity: 0,
        }
    }

    /// A known variant with what the file says of it.
    fn onto(&self, known: &Variant) -> Planned {
        let same = matching::same_options(&self.options, &known.options);
        let options = if self.options.is_empty() || same {
            known.options.clone()
        } else {
            self.options.clone()
        };
        let mut after = Variant {
            sku: self.sku.clone().or_else(|| known.sku.clone()),
            title: self.title.clone().unwrap_or_else(|| known.title.clone()),
            options,
            unit_price: self.unit_price,
            ..known.clone()
        };
        if after != *known {
            after.version = after.version.saturating_add(1);
        }
        Planned {
            before: Some(known.clone()),
            after,
        }
    }
}
