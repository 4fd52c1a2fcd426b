//! Which product and variant of the shop a file means.

use super::{Faults, ImportProduct, ImportedVariant};
use crate::catalogue::{Product, Variant};
use crate::ids::ProductId;
use crate::state::State;

/// The shop's product: the one with the handle (or the id that stands for one), else the one with one of the codes, unless it has
/// another handle.
pub(super) fn product<'a>(
    state: &'a State,
    import: &ImportProduct,
    faults: &mut Faults,
) -> Option<&'a Product> {
    let by_handle = import.handle.as_ref().and_then(|h| state.handles.get(h));
    let by_id = import.by_id().and_then(|id| state.products.get(&id));
    let known = by_handle.and_then(|id| state.products.get(id)).or(by_id);
    if known.is_some() {
        return known;
    }
    let mut found: Option<ProductId> = None;
    for (index, variant) in import.variants.iter().enumerate() {
        let sku = variant.sku.as_ref();
        let known = sku.and_then(|sku| state.variants.get(state.skus.get(sku)?));
        let Some(of) = known.map(|known| known.product_id) else {
            continue;
        };
        let other = found.is_some_and(|found| found != of);
        let named = state.products.get(&of).is_some_and(|p| p.handle.is_some());
        if other || (named && import.handle.is_some()) {
            faults.of_variant(index, "sku", "another product has this SKU");
        } else {
            found = Some(of);
        }
    }
    found.and_then(|id| state.products.get(&id))
}

/// The known variant that a file's variant means: by its code, else by its options.
pub(super) fn variant<'a>(known: &[&'a Variant], given: &ImportedVariant) -> Option<&'a Variant> {
    let by_sku = |known: &&&Variant| given.sku.is_some() && known.sku == given.sku;
    let may_take = |known: &Variant| known.sku.is_none() || given.sku.is_none();
    let by_options =
        |known: &&&Variant| may_take(known) && same_options(&known.options, &given.options);
    let found = known.iter().find(by_sku);
    found.or_else(|| known.iter().find(by_options)).copied()
}

/// The code under which the shop knows a variant of these options, where the file says another
/// and does not name the shop's: counted as new, its units would be there twice.
pub(super) fn renamed<'a>(
    known: &[&'a Variant],
    given: &ImportedVariant,
    import: &ImportProduct,
) -> Option<&'a str> {
    given.sku.as_ref()?;
    let mut same = known
        .iter()
        .filter(|k| same_options(&k.options, &given.options));
    let sku = same.find_map(|known| known.sku.as_ref())?;
    let in_file = import
        .variants
        .iter()
        .any(|other| other.sku.as_ref() == Some(sku));
    (!in_file).then_some(sku.as_str())
}

/// Whether two variants of one file are the same.
pub(super) fn same(one: &ImportedVariant, other: &ImportedVariant) -> bool {
    match (&one.sku, &other.sku) {
        (Some(one), Some(other)) => one == other,
        _ => same_options(&one.options, &other.options),
    }
}

/// The field that tells a variant from others.
pub(super) fn place(variant: &ImportedVariant) -> &'static str {
    if variant.sku.is_some() {
        "sku"
    } else {
        "options"
    }
}

/// The order of options says nothing.
pub(super) fn same_options(one: &[(String, String)], other: &[(String, String)]) -> bool {
    one.len() == other.len() && one.iter().all(|pair| other.contains(pair))
}
