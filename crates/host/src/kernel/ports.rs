//! A set of TCP ports.

/// A set of ports, one bit each: a lookup per socket costs no hashing.
#[derive(Debug, Clone)]
pub(super) struct Ports(Box<[u64; 1024]>);

impl Ports {
    pub(super) fn new() -> Self {
        Self(Box::new([0; 1024]))
    }

    pub(super) fn insert(&mut self, port: u16) {
        if let Some(word) = self.0.get_mut(usize::from(port >> 6)) {
            *word |= 1 << (port & 63);
        }
    }

    pub(super) fn contains(&self, port: u16) -> bool {
        self.0.get(usize::from(port >> 6)).is_some_and(|word| word & (1 << (port & 63)) != 0)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u16> {
        (0..=u16::MAX).filter(|&port| self.contains(port))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_put_in_comes_out_in_order(ports in prop::collection::btree_set(any::<u16>(), 0..50)) {
            let mut set = Ports::new();
            ports.iter().for_each(|&port| set.insert(port));
            prop_assert_eq!(set.iter().collect::<BTreeSet<_>>(), ports);
        }
    }
}
