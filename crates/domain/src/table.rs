//! A keyed table of the working set that remembers what changed since it was loaded.

use std::collections::BTreeMap;

/// Rows by key. Loading a row marks nothing; putting one remembers what stood there before.
#[derive(Clone, Debug)]
pub struct Table<K, V> {
    rows: BTreeMap<K, V>,
    before: BTreeMap<K, Option<V>>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self {
            rows: BTreeMap::new(),
            before: BTreeMap::new(),
        }
    }
}

impl<K: Ord + Copy, V: Clone> Table<K, V> {
    /// Takes a row in as the store has it.
    pub fn load(&mut self, key: K, row: V) {
        self.rows.insert(key, row);
    }

    /// The row of a key.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<&V> {
        self.rows.get(key)
    }

    /// The row of a key as it was loaded, before anything changed it.
    #[must_use]
    pub fn as_loaded(&self, key: &K) -> Option<&V> {
        match self.before.get(key) {
            Some(before) => before.as_ref(),
            None => self.rows.get(key),
        }
    }

    /// Whether a key has a row.
    #[must_use]
    pub fn contains(&self, key: &K) -> bool {
        self.rows.contains_key(key)
    }

    /// Inserts or replaces a row.
    pub fn put(&mut self, key: K, row: V) {
        let previous = self.rows.insert(key, row);
        self.before.entry(key).or_insert(previous);
    }

    /// Changes a row in place; false when there is none.
    pub fn change(&mut self, key: &K, edit: impl FnOnce(&mut V)) -> bool {
        let Some(row) = self.rows.get_mut(key) else {
            return false;
        };
        self.before.entry(*key).or_insert_with(|| Some(row.clone()));
        edit(row);
        true
    }

    /// All rows in key order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.rows.iter()
    }

    /// All rows in key order, without their keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.rows.values()
    }

    /// The rows whose keys lie in a range.
    pub fn range(&self, range: core::ops::RangeInclusive<K>) -> impl Iterator<Item = &V> {
        self.rows.range(range).map(|(_, row)| row)
    }

    /// The rows that changed: what stood there (`None` for a new row), and what stands there now.
    pub fn changed(&self) -> impl Iterator<Item = (Option<&V>, &V)> + Clone {
        self.before
            .iter()
            .filter_map(|(key, before)| Some((before.as_ref(), self.rows.get(key)?)))
    }

    /// The rows that changed, as they stand now, with their keys.
    pub fn changed_with_keys(&self) -> impl Iterator<Item = (&K, &V)> {
        self.before
            .keys()
            .filter_map(|key| self.rows.get_key_value(key))
    }

    /// Whether anything changed.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        !self.before.is_empty()
    }

    /// Forgets what changed; the rows stay.
    pub fn settle(&mut self) {
        self.before.clear();
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}
