//! Reads take the same few statements however long the list is, and a thousand may come at once.

use bench::connection::{Connection, request};
use bench::server::Server;
use serde_json::{Value, json};
use throwaway::postgres::{Cluster, Durability};
use tokio::task::JoinSet;

use super::binary;

const PRODUCTS: usize = 60;
const AT_ONCE: usize = 1_000;

async fn call(server: &Server, method: &str, path: &str, body: &str) -> (u16, Value) {
    let key = server.fact("secret_key");
    let headers = format!("authorization: Bearer {key}\r\n");
    let mut connection = Connection::open(server.address()).await.unwrap();
    let text = request(method, path, &headers, body);
    let answer = connection.send(&text).await.unwrap();
    (answer.status, answer.json().unwrap_or(Value::Null))
}

/// How many statements the database runs for a request, beside those of the sweep.
async fn statements(cluster: &Cluster, server: &Server, path: &str) -> usize {
    // A key that is not remembered is a statement of its own: ask once before counting.
    call(server, "GET", path, "").await;
    let count = || {
        let log = cluster.log();
        let run = log.lines().filter(|line| line.contains(" execute "));
        run.filter(|line| {
            line.contains("FROM products")
                || line.contains("FROM product_variants")
                || line.contains("FROM stock_levels")
                || line.contains("FROM tenants")
                || line.contains("FROM locations")
        })
        .count()
    };
    let before = count();
    let (status, body) = call(server, "GET", path, "").await;
    assert_eq!(status, 200, "{body}");
    // What is logged is written when the statement ends, so before its answer.
    count() - before
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_reads_at_once_and_no_statement_for_each_row() {
    let cluster = Cluster::start(Durability::Full).unwrap();
    let database = cluster.database().unwrap();
    let server = Server::start(binary(), &cluster.url(&database), &[]).unwrap();
    let mut ids = Vec::new();
    for number in 0..PRODUCTS {
        let variants: Vec<Value> = (0..3)
            .map(|_| json!({"unit_price": 100, "stock_quantity": 5}))
            .collect();
        let body = json!({"title": format!("Thing {number}"), "variants": variants});
        let (status, made) = call(&server, "POST", "/products", &body.to_string()).await;
        assert_eq!(status, 201, "{made}");
        ids.push(made["id"].as_str().unwrap().to_owned());
    }
    cluster
        .sql(
            "postgres",
            "ALTER SYSTEM SET log_min_duration_statement = 0",
        )
        .unwrap();
    cluster.sql("postgres", "SELECT pg_reload_conf()").unwrap();
    let short = statements(&cluster, &server, "/products?limit=2").await;
    let long = statements(&cluster, &server, "/products?limit=50").await;
    assert_eq!(
        short, long,
        "a list of 50 takes as many statements as one of 2"
    );
    assert!((1..=7).contains(&long), "{long} statements for a list");
    let detail = statements(&cluster, &server, &format!("/products/{}", ids[0])).await;
    assert!(
        (1..=6).contains(&detail),
        "{detail} statements for a product"
    );
    cluster
        .sql("postgres", "ALTER SYSTEM RESET log_min_duration_statement")
        .unwrap();
    cluster.sql("postgres", "SELECT pg_reload_conf()").unwrap();

    let mut reads = JoinSet::new();
    let server = std::sync::Arc::new(server);
    for number in 0..AT_ONCE {
        let server = std::sync::Arc::clone(&server);
        let path = if number % 2 == 0 {
            "/products?limit=20".to_owned()
        } else {
            format!("/products/{}", ids[number % ids.len()])
        };
        reads.spawn(async move { call(&server, "GET", &path, "").await.0 });
    }
    let answers = reads.join_all().await;
    assert!(answers.iter().all(|status| *status == 200), "{answers:?}");
}

/// Rows of the shop's tables that were read by now.
fn rows_read(cluster: &Cluster, database: &str) -> i64 {
    let sql = "SELECT coalesce(sum(idx_tup_read), 0) + (SELECT sum(seq_tup_read) \
         FROM pg_stat_user_tables WHERE relname NOT IN ('schema_migrations', 'lanes')) \
         FROM pg_stat_user_indexes WHERE relname <> 'lanes'";
    cluster.sql(database, sql).unwrap().parse().unwrap()
}

/// A young table has no statistics, and whatever the planner makes of that: an order reads what it is
/// about, and not the shop.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_reads_as_few_rows_in_a_large_shop() {
    const PRODUCTS: usize = 40;
    const VARIANTS: usize = 100;
    const ORDERS: usize = 100;
    let cluster = Cluster::start(Durability::Off).unwrap();
    let database = cluster.database().unwrap();
    let server = Server::start(binary(), &cluster.url(&database), &[]).unwrap();
    let mut variants = Vec::new();
    for _ in 0..PRODUCTS {
        let all = vec![json!({"unit_price": 100, "stock_quantity": 5}); VARIANTS];
        let body = json!({"title": "Thing", "variants": all});
        let (status, made) = call(&server, "POST", "/products", &body.to_string()).await;
        assert_eq!(status, 201, "{made}");
        variants.push(made["variants"][7]["id"].as_str().unwrap().to_owned());
    }
    // Sessions tell what they have read once a second (PostgreSQL's manual, 28.2.1).
    let told = std::time::Duration::from_secs(3);
    tokio::time::sleep(told).await;
    let before = rows_read(&cluster, &database);
    for number in 0..ORDERS {
        let order = super::order_of(&variants[number % variants.len()], 1);
        let (status, made) = call(&server, "POST", "/orders", &order.to_string()).await;
        assert_eq!(status, 201, "{made}");
    }
    tokio::time::sleep(told).await;
    let read = rows_read(&cluster, &database) - before;
    let each = read / i64::try_from(ORDERS).unwrap();
    assert!(each > 0, "nothing was told");
    assert!(
        each < i64::try_from(VARIANTS).unwrap() / 2,
        "{each} rows an order"
    );
}
