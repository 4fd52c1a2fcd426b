//! Every table's names are told apart, and its key stands first.

use std::collections::BTreeSet;

use crate::TABLES;

#[test]
fn columns_are_named_once_and_keys_stay() {
    for table in TABLES {
        let names: BTreeSet<_> = table.columns.iter().map(|column| column.name).collect();
        assert_eq!(names.len(), table.columns.len(), "{}", table.name);
        assert!(
            table.key().iter().all(|column| column.fixed),
            "{}",
            table.name
        );
    }
}
