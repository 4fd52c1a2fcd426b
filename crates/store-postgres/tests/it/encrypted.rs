//! Encrypted connections, to a real server.

use store_postgres::address::Address;
use store_postgres::migrate;
use throwaway::postgres::Cluster;

use super::block_on;

#[test]
fn connections_are_encrypted_and_certificates_checked_where_that_is_asked() {
    let cluster = Cluster::encrypted().unwrap();
    let url = cluster.url("postgres");
    let address = |more: &str| -> Address { format!("{url}?{more}").parse().unwrap() };
    block_on(async {
        for believed in ["sslmode=prefer", "sslmode=require", ""] {
            let up = migrate::up(&address(believed), 0, "test").await;
            up.expect(believed);
        }
        for (refused, why) in [
            ("sslmode=disable", "no encryption"),
            ("sslmode=verify-full", "invalid peer certificate"),
        ] {
            let error = migrate::status(&address(refused)).await.unwrap_err();
            assert!(error.to_string().contains(why), "{refused}: {error}");
        }
    });
}
