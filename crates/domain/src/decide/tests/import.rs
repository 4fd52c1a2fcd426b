//! Products as a file says they are.

use super::{Shop, pay};
use crate::catalogue::ProductStatus;
use crate::command::{Imported, Outcome, Reply};
use crate::decide::{ImportProduct, ImportedLevel, ImportedVariant, StockRule};
use crate::money::{Amount, Currency};
use crate::rejection::Rejection;

fn units(location: Option<&str>, stock: i64) -> ImportedLevel {
    ImportedLevel {
        location: location.map(str::to_owned),
        stock_quantity: Some(stock),
        ..ImportedLevel::default()
    }
}

fn size(sku: Option<&str>, size: &str, price: i64, stock: i64) -> ImportedVariant {
    ImportedVariant {
        sku: sku.map(str::to_owned),
        title: None,
        options: vec![("size".to_owned(), size.to_owned())],
        unit_price: Amount::new(price).unwrap(),
        stock: vec![units(None, stock)],
    }
}

fn shirt() -> ImportProduct {
    ImportProduct {
        handle: Some("shirt".to_owned()),
        title: Some("Shirt".to_owned()),
        variants: vec![size(Some("S"), "s", 100, 5), size(None, "m", 110, 6)],
        ..ImportProduct::default()
    }
}

impl Shop {
    fn import(&mut self, import: ImportProduct) -> (Outcome, [usize; 3]) {
        let done = self.run(import);
        let Ok(Reply::Imported(Imported {
            outcome,
            variants_created,
            variants_updated,
            levels_set,
            product_id: _,
        })) = done
        else {
            panic!("{done:?}")
        };
        (outcome, [variants_created, variants_updated, levels_set])
    }

    fn faults(&mut self, import: ImportProduct) -> Vec<String> {
        let seq = self.state.lane.seq;
        let done = self.run(import);
        let Err(Rejection::Invalid(faults)) = done else {
            panic!("{done:?}")
        };
        assert_eq!(self.state.lane.seq, seq, "nothing changed");
        faults.into_iter().map(|fault| fault.pointer).collect()
    }
}

#[test]
fn twice_is_once_and_only_what_differs_is_written() {
    let mut shop = Shop::new();
    let thought = ImportProduct {
        dry_run: true,
        ..shirt()
    };
    assert_eq!(shop.import(thought.clone()), (Outcome::Created, [2, 0, 2]));
    assert_eq!(shop.state.lane.seq, 0, "it was only thought of");
    assert_eq!(shop.import(shirt()), (Outcome::Created, [2, 0, 2]));
    assert_eq!(shop.import(shirt()), (Outcome::Unchanged, [0, 0, 0]));
    assert_eq!(shop.import(thought), (Outcome::Unchanged, [0, 0, 0]));
    let seq = shop.state.lane.seq;
    let dearer = ImportProduct {
        title: None,
        variants: vec![size(Some("S"), "s", 120, 5), size(Some("L"), "l", 130, 1)],
        ..shirt()
    };
    assert_eq!(shop.import(dearer), (Outcome::Updated, [1, 1, 1]));
    assert_eq!(
        shop.state.lane.seq,
        seq + 2,
        "one event for the product, one for the level"
    );
    let product = shop.state.products.values().next().unwrap().clone();
    assert_eq!((product.title.as_str(), product.version), ("Shirt", 2));
    let variants = shop.state.variants_of(product.id);
    let prices: Vec<_> = variants
        .iter()
        .map(|variant| variant.unit_price.minor())
        .collect();
    assert_eq!(prices, [120, 110, 130], "what the file leaves out stays");
}

/// What was sold since the first import must not come back by the second.
#[test]
fn a_second_import_does_not_restock_unless_it_is_a_count() {
    let mut shop = Shop::new();
    shop.import(shirt());
    let variant = shop.state.skus["S"];
    let order = shop.order(&[(variant, 2)]).unwrap();
    shop.run(pay(order, "r")).unwrap();
    shop.order(&[(variant, 1)]).unwrap();
    assert_eq!(shop.import(shirt()), (Outcome::Unchanged, [0, 0, 0]));
    assert_eq!(shop.stock(variant).0, 3);
    let keep = ImportProduct {
        stock: StockRule::Keep,
        variants: vec![size(Some("S"), "s", 100, 99), size(None, "xl", 1, 50)],
        ..shirt()
    };
    assert_eq!(
        shop.import(keep),
        (Outcome::Updated, [1, 0, 1]),
        "a new variant has a level, with nothing on it"
    );
    let count = |stock| ImportProduct {
        stock: StockRule::Set,
        variants: vec![size(Some("S"), "s", 100, stock)],
        ..shirt()
    };
    assert_eq!(shop.import(count(7)), (Outcome::Updated, [0, 0, 1]));
    assert_eq!(shop.stock(variant).0, 7);
    assert_eq!(
        shop.faults(count(0)),
        ["/variants/0/stock/0/stock_quantity"],
        "one is reserved"
    );
}

#[test]
fn a_product_is_found_by_handle_by_id_and_by_code() {
    let mut shop = Shop::new();
    let plain = shop.variant(100, 1);
    let id = shop.state.variants.get(&plain).unwrap().product_id;
    let named = ImportProduct {
        handle: Some(id.to_string()),
        variants: vec![ImportedVariant {
            unit_price: Amount::new(100).unwrap(),
            ..ImportedVariant::default()
        }],
        ..ImportProduct::default()
    };
    assert_eq!(
        shop.import(named),
        (Outcome::Unchanged, [0, 0, 0]),
        "an export's name for it"
    );

    let by_code = |handle: Option<&str>| ImportProduct {
        handle: handle.map(str::to_owned),
        title: Some("Mug".to_owned()),
        variants: vec![size(Some("MUG"), "one", 300, 2)],
        ..ImportProduct::default()
    };
    assert_eq!(shop.import(by_code(None)).0, Outcome::Created);
    assert_eq!(shop.import(by_code(None)).0, Outcome::Unchanged);
    assert_eq!(
        shop.import(by_code(Some("mug"))).0,
        Outcome::Updated,
        "it gets its handle"
    );
    assert_eq!(shop.import(by_code(Some("mug"))).0, Outcome::Unchanged);
    assert_eq!(shop.faults(by_code(Some("other"))), ["/variants/0/sku"]);
}

#[test]
fn every_fault_of_a_product_is_listed_where_it_stands() {
    let mut shop = Shop::new();
    shop.import(shirt());
    let euro = Currency::parse("EUR");
    let cases: Vec<(ImportProduct, &[&str])> = vec![
        (ImportProduct::default(), &["/variants", "/handle"]),
        (
            ImportProduct {
                handle: None,
                ..shirt()
            },
            &[],
        ),
        (
            ImportProduct {
                handle: Some("new".to_owned()),
                title: None,
                variants: vec![size(None, "s", 1, 1)],
                ..shirt()
            },
            &["/title"],
        ),
        (
            ImportProduct {
                currency: Currency::parse("USD"),
                ..shirt()
            },
            &["/currency"],
        ),
        (
            ImportProduct {
                currency: euro,
                ..shirt()
            },
            &[],
        ),
        (
            ImportProduct {
                variants: vec![size(Some("S"), "s", 1, 1), size(Some("S"), "t", 1, 1)],
                ..shirt()
            },
            &["/variants/1/sku"],
        ),
        (
            ImportProduct {
                variants: vec![size(None, "q", 1, 1), size(None, "q", 1, 1)],
                ..shirt()
            },
            &["/variants/1/options"],
        ),
        (
            ImportProduct {
                variants: vec![ImportedVariant {
                    stock: vec![
                        units(Some("moon"), 1),
                        units(None, 1),
                        units(Some("default"), 1),
                    ],
                    ..size(None, "new", -1, 0)
                }],
                ..shirt()
            },
            &["/variants/0/unit_price"],
        ),
        (
            ImportProduct {
                variants: vec![ImportedVariant {
                    stock: vec![
                        units(Some("moon"), 1),
                        units(None, -1),
                        units(Some("default"), 1),
                    ],
                    ..size(None, "new", 1, 0)
                }],
                ..shirt()
            },
            &[
                "/variants/0/stock/0/location",
                "/variants/0/stock/1/stock_quantity",
                "/variants/0/stock/2/location",
            ],
        ),
        (
            ImportProduct {
                variants: (0..101).map(|n| size(None, &n.to_string(), 1, 1)).collect(),
                ..shirt()
            },
            &["/variants"],
        ),
        (
            ImportProduct {
                variants: (0..99).map(|n| size(None, &n.to_string(), 1, 1)).collect(),
                ..shirt()
            },
            &["/variants"],
        ),
    ];
    for (import, expected) in cases {
        if expected.is_empty() {
            shop.import(import);
        } else {
            assert_eq!(shop.faults(import.clone()), expected, "{import:?}");
        }
    }
}

#[test]
fn a_file_may_take_a_product_off_sale_and_put_levels_anywhere() {
    let mut shop = Shop::new();
    let outlet = shop.location("outlet", 5);
    let import = ImportProduct {
        status: Some(ProductStatus::Archived),
        variants: vec![ImportedVariant {
            stock: vec![ImportedLevel {
                low_stock_threshold: Some(2),
                backorder_limit: Some(4),
                ..units(Some("outlet"), -3)
            }],
            ..size(Some("S"), "s", 100, 0)
        }],
        ..shirt()
    };
    assert_eq!(shop.import(import.clone()), (Outcome::Created, [1, 0, 1]));
    let variant = shop.state.skus["S"];
    let levels: Vec<_> = shop.state.levels_of(variant).collect();
    let [level] = levels.as_slice() else {
        panic!("{levels:?}")
    };
    assert_eq!(
        (
            level.location_id,
            level.stock_quantity,
            level.backorder_limit,
            level.low_stock_threshold
        ),
        (outlet, -3, 4, Some(2))
    );
    let product = shop.state.products.values().next().unwrap();
    assert_eq!(product.status, ProductStatus::Archived);
    assert_eq!(shop.import(import).0, Outcome::Unchanged);
}
