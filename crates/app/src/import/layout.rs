//! Which columns a file has, and how its rows become products.

mod shopify;
mod stockhold;
mod woocommerce;

use domain::limits::TEXT_MAX;
use domain::money::Currency;
use wire::input::ImportLine;

use super::table::{BadRow, Header, Row};

/// A layout of columns that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Layout {
    /// Our own, as `stockhold export products --format csv` writes it
    Stockhold,
    /// Shopify's product export
    Shopify,
    /// `WooCommerce`'s product export
    Woocommerce,
}

/// What a file does not say itself.
#[derive(Clone, Debug)]
pub(crate) struct Defaults {
    /// The currency of prices without one.
    pub(crate) currency: Currency,
    /// The location of stock without one.
    pub(crate) location: String,
}

/// A product of a file, and where its parts stand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// The product.
    pub(crate) line: ImportLine,
    /// The line of the product itself.
    pub(crate) at: u64,
    /// The lines of its variants.
    pub(crate) variants_at: Vec<u64>,
    /// What was changed on the way, for people.
    pub(crate) notes: Vec<String>,
}

/// How a row takes part in a product.
pub(crate) enum Group {
    /// It belongs to the product of this name.
    Of(String),
    /// It is the product that others may call by any of these names.
    Is(Vec<String>),
    /// It is a product by itself.
    Alone,
    /// It is passed over, and why.
    PassOver(&'static str),
}

impl Layout {
    /// The layout of a header.
    pub(crate) fn of(header: &Header) -> Option<Self> {
        let has = |titles: &[&str]| header.has(titles);
        if has(&["Variant Price"]) && has(&["Handle"]) || has(&["URL handle"]) && has(&["Price"]) {
            Some(Self::Shopify)
        } else if has(&["Type"]) && has(&["Regular price"]) {
            Some(Self::Woocommerce)
        } else if has(&["unit_price", "price"]) && (has(&["sku"]) || has(&["handle"])) {
            Some(Self::Stockhold)
        } else {
            None
        }
    }

    /// The product that a row belongs to.
    pub(crate) fn group(self, row: &Row<'_>) -> Group {
        match self {
            Self::Shopify => shopify::group(row),
            Self::Woocommerce => woocommerce::group(row),
            Self::Stockhold => stockhold::group(row),
        }
    }

    /// Takes a row into its product.
    pub(crate) fn take(
        self,
        found: &mut Found,
        header: &Header,
        row: &Row<'_>,
        defaults: &Defaults,
    ) -> Result<(), BadRow> {
        if found.at == 0 {
            found.at = row.line;
        }
        match self {
            Self::Shopify => shopify::take(found, row, defaults),
            Self::Woocommerce => woocommerce::take(found, row, defaults),
            Self::Stockhold => stockhold::take(found, header, row, defaults),
        }
    }

    /// The column that a fault's pointer means.
    pub(crate) fn column(self, pointer: &str) -> String {
        let field = pointer.rsplit('/').next().unwrap_or_default();
        let name = match self {
            Self::Shopify => shopify::column(field),
            Self::Woocommerce => woocommerce::column(field),
            Self::Stockhold => None,
        };
        name.unwrap_or(field).to_owned()
    }
}

/// The locations that a header names, in its order.
pub(crate) fn locations(header: &Header) -> Vec<String> {
    stockhold::locations(header)
}

/// A description within bounds: tags go first, then what is too long.
fn description(found: &mut Found, row: &Row<'_>, titles: &[&str]) {
    let Some(text) = row.as_it_is(titles) else {
        return;
    };
    if text.chars().count() <= TEXT_MAX {
        found.line.description = Some(text);
        return;
    }
    let mut inside = false;
    let mut plain = String::new();
    for letter in text.chars() {
        match letter {
            '<' => inside = true,
            '>' if inside => inside = false,
            _ if !inside => plain.push(letter),
            _ => {}
        }
    }
    let words: Vec<&str> = plain.split_whitespace().collect();
    found.line.description = Some(words.join(" ").chars().take(TEXT_MAX).collect());
    let note = format!(
        "line {}: the description is longer than {TEXT_MAX} characters; its tags and its end were left out",
        row.line
    );
    found.notes.push(note);
}
