//! Catalogues in and out: the command line on files, over HTTP and on the database itself.

mod interrupted;
mod ledger;
mod lines;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use bench::server::Folder;
use serde_json::{Value, json};

use super::shop::{Shop, binary};

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/samples")
        .join(name)
}

fn stockhold(args: &[&str]) -> Output {
    Command::new(binary()).args(args).output().unwrap()
}

/// An empty shop on a database that no server uses.
struct Files {
    folder: Folder,
}

impl Files {
    fn new(name: &str) -> Self {
        let files = Self {
            folder: Folder::new(name).unwrap(),
        };
        files.run(&["migrate", "up"]);
        files.run(&["tenant", "create", "shop"]);
        files
    }

    fn run(&self, args: &[&str]) -> String {
        let (status, text) = self.try_run(args);
        assert_eq!(status, Some(0), "{args:?}: {text}");
        text
    }

    fn try_run(&self, args: &[&str]) -> (Option<i32>, String) {
        let database = self.folder.database();
        let mut all = args.to_vec();
        all.extend(["--database", &database]);
        let output = stockhold(&all);
        let text = [output.stdout, output.stderr].concat();
        (
            output.status.code(),
            String::from_utf8_lossy(&text).into_owned(),
        )
    }

    fn import(&self, path: &Path, more: &[&str]) -> Value {
        let path = path.display().to_string();
        let mut args = vec!["import", path.as_str(), "--json"];
        args.extend(more);
        let text = self.try_run(&args).1;
        serde_json::from_str(text.trim()).unwrap_or_else(|_| panic!("{text}"))
    }

    /// The products as lines, in no order.
    fn products(&self) -> Vec<Value> {
        let text = self.run(&["export", "products", "--format", "ndjson"]);
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_unstable();
        lines
            .iter()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn audit(&self) {
        self.run(&["audit"]);
    }
}

fn level(location: &str, stock: i64) -> Value {
    json!({"location": location, "stock_quantity": stock, "backorder_limit": 0})
}

fn options(pairs: &[(&str, &str)]) -> Value {
    pairs
        .iter()
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect()
}

#[test]
fn a_shopify_export_is_read_as_shopify_means_it() {
    let files = Files::new("shopify");
    let done = files.import(&sample("shopify.csv"), &[]);
    assert_eq!(
        (
            &done["created"],
            &done["variants_created"],
            &done["levels_set"]
        ),
        (&json!(3), &json!(5), &json!(5))
    );
    let products = files.products();
    let variant = |sku: Option<&str>, size: &str, colour: &str, price: i64, stock: i64| {
        let mut variant = json!({
            "title": format!("{size} / {colour}"), "unit_price": price,
            "options": options(&[("Size", size), ("Colour", colour)]),
            "stock": [level("default", stock)],
        });
        if let Some(sku) = sku {
            variant["sku"] = sku.into();
        }
        variant
    };
    let shirt = products
        .iter()
        .find(|product| product["handle"] == "linen-shirt")
        .unwrap();
    assert_eq!(shirt["description"], "<p>Light,\nfor summer</p>");
    assert_eq!(
        shirt["variants"],
        json!([
            variant(Some("LS-S-W"), "S", "White", 4990, 12),
            variant(Some("LS-M-W"), "M", "White", 4990, 7),
            variant(None, "L", "Black", 5200, 0),
        ])
    );
    let bag = products
        .iter()
        .find(|product| product["handle"] == "tote-bag")
        .unwrap();
    assert_eq!(
        bag["variants"][0]["options"],
        Value::Null,
        "a simple product has no options"
    );
    assert_eq!(
        bag["variants"][0]["stock"][0]["backorder_limit"], 1_000_000,
        "continue selling"
    );
    let scarf = products
        .iter()
        .find(|product| product["handle"] == "old-scarf")
        .unwrap();
    assert_eq!(scarf["status"], "archived");
    let again = files.import(&sample("shopify.csv"), &[]);
    assert_eq!(
        (&again["unchanged"], &again["levels_set"]),
        (&json!(3), &json!(0)),
        "{again}"
    );
    files.audit();
}

#[test]
fn a_woocommerce_export_finds_variations_wherever_they_stand() {
    let files = Files::new("woocommerce");
    let done = files.import(&sample("woocommerce.csv"), &[]);
    assert_eq!(
        (&done["created"], &done["variants_created"]),
        (&json!(4), &json!(5)),
        "{done}"
    );
    let products = files.products();
    let hoodie = products
        .iter()
        .find(|product| product["handle"] == "hoodie")
        .unwrap();
    assert_eq!(hoodie["title"], "Hoodie");
    let variants = hoodie["variants"].as_array().unwrap();
    assert_eq!(variants.len(), 2);
    assert_eq!(variants[0]["sku"], "hoodie-blue");
    assert_eq!(
        variants[1]["options"],
        options(&[("Colour", "Green"), ("Logo", "No")])
    );
    assert_eq!(
        (&variants[0]["unit_price"], &variants[1]["unit_price"]),
        (&json!(4500), &json!(4250))
    );
    let beanie = products
        .iter()
        .find(|product| product["handle"] == "beanie")
        .unwrap();
    assert_eq!(
        beanie["variants"][0]["unit_price"], 1800,
        "a sale without an end"
    );
    assert_eq!(beanie["variants"][0]["stock"][0]["low_stock_threshold"], 4);
    let sticker = products
        .iter()
        .find(|product| product["handle"] == "id:50")
        .unwrap();
    assert_eq!(
        sticker["variants"][0]["unit_price"], 200,
        "a sale with an end is over some day"
    );
    let old = products
        .iter()
        .find(|product| product["handle"] == "old")
        .unwrap();
    assert_eq!(old["status"], "archived");
    assert_eq!(
        files.import(&sample("woocommerce.csv"), &[])["unchanged"],
        4
    );
    files.audit();
}

#[test]
fn our_own_layout_names_locations_and_comes_back_as_it_was() {
    let files = Files::new("own");
    let path = sample("stockhold.csv");
    let (status, text) = files.try_run(&["import", &path.display().to_string()]);
    assert_eq!(status, Some(2));
    assert!(
        text.contains("no location berlin") && text.contains("--create-locations"),
        "{text}"
    );
    let thought = files.import(&path, &["--create-locations", "--dry-run"]);
    assert_eq!(
        (
            &thought["written"],
            &thought["created"],
            &thought["locations_added"]
        ),
        (&json!(false), &json!(3), &json!(1))
    );
    assert!(files.products().is_empty(), "a dry run writes nothing");
    let done = files.import(&path, &["--create-locations"]);
    assert_eq!(
        (
            &done["created"],
            &done["variants_created"],
            &done["levels_set"]
        ),
        (&json!(3), &json!(4), &json!(6)),
        "{done}"
    );
    let again = files.import(&path, &[]);
    assert_eq!(
        (&again["unchanged"], &again["levels_set"]),
        (&json!(3), &json!(0)),
        "{again}"
    );

    // Into an empty shop, by either format: the same catalogue and stock.
    let out = files.folder.path().join("out").display().to_string();
    files.run(&["export", "--output", &out]);
    files.run(&["export", "products", "--format", "ndjson", "--output", &out]);
    for products in ["products.csv", "products.ndjson"] {
        let other = Files::new(&format!("own-{}", products.replace('.', "-")));
        let file = |name: &str| PathBuf::from(&out).join(name);
        assert_eq!(
            other.import(&file("locations.csv"), &[])["locations_added"],
            1
        );
        other.import(&file(products), &[]);
        let mut expected = files.products();
        // What has no handle is called by its id, which becomes its handle elsewhere.
        let cap = expected
            .iter()
            .position(|product| product["title"] == "Cap")
            .unwrap();
        assert!(expected[cap]["handle"].as_str().unwrap().len() == 36);
        expected.sort_by_key(ToString::to_string);
        let mut found = other.products();
        found.sort_by_key(ToString::to_string);
        assert_eq!(found, expected, "{products}");
        let locations = |shop: &Files| shop.run(&["export", "locations"]);
        assert_eq!(locations(&other), locations(&files));
        other.audit();
    }
    files.audit();
}

/// Each file has one thing wrong; it is named with its line and column, and nothing is written.
#[test]
fn bad_rows_are_named_by_line_and_column_and_nothing_is_written() {
    let files = Files::new("bad");
    let head = "handle,title,sku,price,stock,option:size\n";
    let good = "a,A,A1,1.00,5,s\n";
    let cases: [(&str, &str, u64, &str, &str); 12] = [
        ("price", "b,B,B1,cheap,5,s\n", 3, "price", "not a price"),
        ("fine", "b,B,B1,1.9999,5,s\n", 3, "price", "finer than EUR"),
        ("negative", "b,B,B1,-1,5,s\n", 3, "price", "not a price"),
        ("stock", "b,B,B1,1,many,s\n", 3, "stock", "whole number"),
        (
            "below",
            "b,B,B1,1,-5,s\n",
            3,
            "stock_quantity",
            "must be between",
        ),
        ("title", "b,,B1,1,5,s\n", 3, "title", "required"),
        ("twice", "b,B,A1,1,5,s\n", 3, "sku", "stands on line 2"),
        ("cells", "b,B,B1,1\n", 3, "", "4 cells, the header 6"),
        ("options", "b,B,,1,5,s\nb,,,1,5,s\n", 4, "options", "twice"),
        ("anonymous", ",B,,1,5,s\n", 3, "handle", "handle or a SKU"),
        (
            "title too long",
            &format!("b,{},B1,1,5,s\n", "x".repeat(2_001)),
            3,
            "title",
            "more than 2000",
        ),
        (
            "stock too high",
            "b,B,B1,1,1000000001,s\n",
            3,
            "stock_quantity",
            "1000000000",
        ),
    ];
    for (name, row, line, column, reason) in cases {
        let path = files.write("bad.csv", &format!("{head}{good}{row}"));
        let done = files.import(&path, &[]);
        let bad = &done["bad"][0];
        assert_eq!(
            (
                done["written"].as_bool(),
                bad["line"].as_u64(),
                bad["column"].as_str()
            ),
            (Some(false), Some(line), Some(column)),
            "{name}: {done}"
        );
        assert!(
            bad["reason"].as_str().unwrap().contains(reason),
            "{name}: {bad}"
        );
        assert_eq!(
            files.try_run(&["import", &path.display().to_string()]).0,
            Some(1),
            "{name}"
        );
    }
    assert!(files.products().is_empty());
    let path = files.write(
        "bad.csv",
        &format!("{head}{good}b,B,B1,cheap,5,s\nc,C,C1,3,5,s\n"),
    );
    let done = files.import(&path, &["--skip-bad"]);
    assert_eq!(
        (&done["written"], &done["created"], &done["refused"]),
        (&json!(true), &json!(2), &json!(1))
    );
    assert_eq!(files.products().len(), 2);

    let broken = files.folder.path().join("latin.csv");
    std::fs::write(&broken, [head.as_bytes(), b"d,caf\xe9,D1,1,1,s\n"].concat()).unwrap();
    let done = files.import(&broken, &[]);
    assert_eq!(
        (&done["bad"][0]["column"], &done["bad"][0]["reason"]),
        (&json!("title"), &json!("is not UTF-8"))
    );
    let ndjson = files.write("bad.ndjson", "{\"handle\":\"x\",\"title\":\"X\",\"variants\":[{\"unit_price\":1}]}\n{\"handle\":\"y\",\"variants\":[{\"unit_price\":1.5}]}\n{oops\n");
    let done = files.import(&ndjson, &[]);
    assert_eq!(
        (&done["bad"][0]["line"], &done["bad"][0]["column"]),
        (&json!(2), &json!("/variants/0/unit_price")),
        "{done}"
    );
    assert_eq!(done["bad"].as_array().unwrap().last().unwrap()["line"], 3);
    let unknown = files.write("unknown.csv", "a,b\n1,2\n");
    let (status, text) = files.try_run(&["import", &unknown.display().to_string()]);
    assert!(
        status == Some(2) && text.contains("none that are known"),
        "{text}"
    );
    let (status, text) = files.try_run(&["import", "nowhere.csv"]);
    assert!(status == Some(2) && text.contains("nowhere.csv"), "{text}");
    files.audit();
}

/// Lines are counted as an editor counts them, whatever ends them.
#[test]
fn line_numbers_are_an_editors() {
    let files = Files::new("line-numbers");
    let head = "handle,title,sku,price,stock";
    let rows = [
        "a,\"A\nB\",A1,1,5",
        "",
        "b,B,B1,cheap,5",
        ",,,,",
        "c,C,C1,dear,5",
    ];
    for end in ["\n", "\r\n"] {
        for last in ["", end] {
            for mark in ["", "\u{feff}"] {
                let text = format!("{mark}{head}{end}{}{last}", rows.join(end));
                let done = files.import(&files.write("lines.csv", &text), &[]);
                let lines: Vec<_> = done["bad"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|bad| bad["line"].as_u64())
                    .collect();
                assert_eq!(lines, [Some(5), Some(7)], "{text:?}: {done}");
            }
        }
    }
}

#[test]
fn what_could_be_misread_is_refused_and_what_is_left_out_is_said() {
    let files = Files::new("misread");
    let import = |text: &str, more: &[&str]| files.import(&files.write("file.csv", text), more);
    let reason = |done: &Value| {
        done["bad"][0]["reason"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    for price in ["\"1,000\"", "1.000", "\"2,500\""] {
        let done = import(&format!("handle,title,price\na,A,{price}\n"), &[]);
        assert!(reason(&done).contains("thousands"), "{price}: {done}");
    }
    let done = import("sku,title,unit_price\nA,A,20.00\n", &[]);
    assert!(reason(&done).contains("minor units"), "{done}");

    // The same options under another code would count the same units twice.
    import(
        "handle,title,sku,price,stock,option:size\nt,T,L1,1,10,l\n",
        &[],
    );
    let done = import(
        "handle,title,sku,price,stock,option:size\nt,T,L2,1,10,l\n",
        &[],
    );
    assert!(reason(&done).contains("under SKU \"L1\""), "{done}");

    // Names of the shop's own keep their case and blanks.
    let own = "handle,title,sku,price,option:Size,option:size\nx,X, X1 ,1,L,\ny,Y,Y1,1,,m\n";
    assert_eq!(import(own, &[])["created"], 2);
    let out = files.run(&["export", "products"]);
    assert_eq!(import(&out, &[])["unchanged"], 3, "{out}");

    // What a row says counts without a title.
    assert_eq!(
        import("handle,sku,price,status\nt,L1,1,archived\n", &[])["updated"],
        1
    );

    let twice = "{\"handle\":\"h\",\"title\":\"A\",\"variants\":[{\"unit_price\":1}]}\n{\"handle\":\"h\",\"title\":\"B\",\"variants\":[{\"unit_price\":1}]}\n";
    let done = files.import(&files.write("twice.ndjson", twice), &[]);
    assert!(reason(&done).contains("stands on line 1"), "{done}");
    let lost = import("Handle,Title,Variant SKU,Variant Price\n,Lost,S1,1\n", &[]);
    assert_eq!(
        (&lost["bad"][0]["column"], reason(&lost).as_str()),
        (&json!("Handle"), "is required")
    );

    // A location that is still to be added: its levels are checked before anything is written.
    let far = "handle,title,sku,price,stock:far\nz,Z,Z1,1,-5\n";
    let done = import(far, &["--create-locations"]);
    assert!(reason(&done).contains("out of bounds"), "{done}");
    assert_eq!(
        files.run(&["export", "locations"]).lines().count(),
        2,
        "none was added"
    );
    let notes = files.import(&sample("woocommerce.csv"), &["--dry-run"])["notes"].clone();
    assert!(
        notes[0].as_str().unwrap().starts_with("line 5: grouped"),
        "{notes}"
    );
    files.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn export_reads_one_snapshot_beside_a_running_server() {
    let shop = Shop::open("export");
    let client = shop.client();
    let variant = client.product(250, 10).await;
    let order = client.order(&variant, 3).await.expect(201);
    let paid = client.order(&variant, 2).await.expect(201).text("id");
    let body = json!({"payment_method": "bank", "payment_reference": "r1"});
    client
        .patch(&format!("/orders/{paid}/payment"), body)
        .await
        .expect(200);
    client.delete(&format!("/orders/{paid}")).await.expect(200);
    let out = shop.folder.path().join("out");
    let database = shop.folder.database();
    let export = |format: &str| {
        let out = out.display().to_string();
        let output = stockhold(&[
            "export",
            "--format",
            format,
            "--output",
            &out,
            "--database",
            &database,
        ]);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    export("ndjson");
    let lines = |name: &str| -> Vec<Value> {
        let text = std::fs::read_to_string(out.join(format!("{name}.ndjson"))).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let orders = lines("orders");
    let mine = orders
        .iter()
        .find(|line| line["id"] == order.body["id"])
        .unwrap();
    let mut shown = client
        .get(&format!("/orders/{}", order.text("id")))
        .await
        .expect(200)
        .body;
    shown["client_token"] = Value::Null;
    assert_eq!(*mine, shown, "an exported order is the API's");
    let of = |list: &[Value], name: &str, value: &str| {
        list.iter().filter(|row| row[name] == value).count()
    };
    assert_eq!(
        (
            of(&lines("reservations"), "status", "active"),
            of(&lines("reservations"), "status", "converted")
        ),
        (1, 1)
    );
    assert_eq!((lines("payments").len(), lines("refunds").len()), (1, 1));
    // The ledger balances, and each reference stands once.
    let ledger = lines("ledger");
    let number = |row: &Value, name: &str| row[name].as_i64().unwrap();
    let sum = |name: &str| ledger.iter().map(|row| number(row, name)).sum::<i64>();
    assert_eq!((sum("debit"), sum("credit")), (1_000, 1_000), "{ledger:?}");
    let of_account = |account: &str| {
        let rows = ledger.iter().filter(|row| row["account"] == account);
        rows.map(|row| number(row, "debit") - number(row, "credit"))
            .sum::<i64>()
    };
    assert_eq!(
        ["cash:manual", "revenue", "refunds"].map(of_account),
        [0, -500, 500]
    );
    let references: std::collections::BTreeSet<_> = ledger
        .iter()
        .map(|row| row["reference"].as_str().unwrap())
        .collect();
    assert_eq!(references.len(), 2, "{references:?}");
    let stock = lines("stock");
    let level = stock
        .iter()
        .find(|row| row["variant_id"] == variant.as_str())
        .unwrap();
    assert_eq!(
        (
            &level["stock_quantity"],
            &level["reserved_stock"],
            &level["available"]
        ),
        (&json!(10), &json!(3), &json!(7))
    );
    export("csv");
    for name in [
        "locations",
        "products",
        "stock",
        "orders",
        "reservations",
        "payments",
        "refunds",
        "ledger",
    ] {
        let text = std::fs::read_to_string(out.join(format!("{name}.csv"))).unwrap();
        assert!(text.lines().count() > 1, "{name}");
    }
    shop.audit();
}
