//! What a line of an import came to.

use domain::command::{Imported, Outcome};
use serde::Serialize;
use serde_json::Value;

use super::Id;
use crate::schema;

/// What was done, or in a dry run would be.
#[derive(Serialize)]
pub struct ImportedView {
    outcome: &'static str,
    product_id: Option<Id>,
    variants_created: usize,
    variants_updated: usize,
    levels_set: usize,
}

impl ImportedView {
    /// What a line came to.
    #[must_use]
    pub fn new(imported: &Imported) -> Self {
        Self {
            outcome: imported.outcome.name(),
            product_id: imported.product_id.map(Id::of),
            variants_created: imported.variants_created,
            variants_updated: imported.variants_updated,
            levels_set: imported.levels_set,
        }
    }

    /// The members of its schema.
    #[must_use]
    pub fn members() -> Vec<(&'static str, Value)> {
        let names: Vec<&str> = Outcome::ALL.iter().map(|outcome| outcome.name()).collect();
        vec![
            ("outcome", schema::one_of(&names)),
            ("product_id", schema::nullable(schema::uuid())),
            ("variants_created", schema::any_integer()),
            ("variants_updated", schema::any_integer()),
            ("levels_set", schema::any_integer()),
        ]
    }
}
