//! A map of recently used values within a limit of bytes.
//!
//! The map has two halves. Used values move into the younger half. When that is full, it becomes the older half, and
//! the former older half is evicted. A half may hold thousands of entries, so the holder of the lock around the map
//! takes evicted halves out and drops them after releasing the lock.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::mem;

/// The cost of an entry besides its value, in bytes.
const ENTRY: usize = 128;

/// Values with their weights.
pub(super) type Half<K, V> = HashMap<K, (V, usize)>;

/// The map that the module describes. Values should be cheap to clone.
#[derive(Debug)]
pub(super) struct Recent<K, V> {
    young: Half<K, V>,
    old: Half<K, V>,
    /// Evicted halves that are not dropped yet; usually none.
    retired: Vec<Half<K, V>>,
    /// The weight of the younger half.
    weight: usize,
    half: usize,
}

impl<K: Eq + Hash, V: Clone> Recent<K, V> {
    /// A map of at most `bytes` bytes. The caller states the size of each value.
    pub(super) fn within(bytes: usize) -> Self {
        let (young, old) = (HashMap::new(), HashMap::new());
        Self { young, old, retired: Vec::new(), weight: 0, half: bytes / 2 }
    }

    pub(super) fn find<Q>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        if let Some((value, _)) = self.young.get(key) {
            return Some(value.clone());
        }
        let (key, (value, weight)) = self.old.remove_entry(key)?;
        self.put(key, value.clone(), weight);
        Some(value)
    }

    /// Inserts a value of `bytes` bytes, unless it alone would evict much of the rest.
    pub(super) fn keep(&mut self, key: K, value: V, bytes: usize) {
        if bytes + ENTRY <= self.half / 4 {
            self.put(key, value, bytes + ENTRY);
        }
    }

    /// The evicted halves.
    pub(super) fn take_retired(&mut self) -> Vec<Half<K, V>> {
        mem::take(&mut self.retired)
    }

    fn put(&mut self, key: K, value: V, weight: usize) {
        if self.weight + weight > self.half {
            let retired = mem::replace(&mut self.old, mem::take(&mut self.young));
            self.retired.push(retired);
            self.weight = 0;
        }
        self.weight += weight;
        if let Some((_, replaced)) = self.young.insert(key, (value, weight)) {
            self.weight -= replaced;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_value_that_is_used_again_stays() {
        let mut recent = Recent::within(40 * ENTRY);
        recent.keep("used", 0, 0);
        for n in 0..100_usize {
            recent.keep(Box::leak(format!("other {n}").into_boxed_str()), n, 0);
            assert_eq!(recent.find("used"), Some(0), "after {n}");
        }
        assert_eq!((recent.find("other 0"), recent.find("other 99")), (None, Some(99)));
    }

    #[test]
    fn a_value_that_would_evict_the_rest_is_not_inserted() {
        let mut recent = Recent::within(80 * ENTRY);
        recent.keep("large", (), 10 * ENTRY);
        recent.keep("small", (), 9 * ENTRY);
        assert_eq!((recent.find("large"), recent.find("small")), (None, Some(())));
    }

    proptest! {
        #[test]
        fn the_limit_holds_and_the_last_value_is_found(
            steps in prop::collection::vec((0..30_u8, 0..500_usize, any::<bool>()), 1..200),
        ) {
            let bound = 40 * ENTRY;
            let mut recent = Recent::within(bound);
            let mut last = HashMap::new();
            for (key, bytes, is_kept) in steps {
                if is_kept {
                    recent.keep(key, bytes, bytes);
                    last.insert(key, bytes);
                    prop_assert_eq!(recent.find(&key), Some(bytes));
                } else if let Some(found) = recent.find(&key) {
                    prop_assert_eq!(Some(&found), last.get(&key));
                }
                recent.take_retired();
                let weight = |half: &HashMap<u8, (usize, usize)>| half.values().map(|(_, w)| w).sum::<usize>();
                prop_assert_eq!(recent.weight, weight(&recent.young));
                prop_assert!(weight(&recent.young) + weight(&recent.old) <= bound);
            }
        }
    }
}
