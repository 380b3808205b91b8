//! Which class a short form belongs to, in bounded memory.

use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;

/// How many short forms are remembered …
const MOST_FORMS: usize = 200_000;
/// … how long they may be together, in bytes …
const MOST_BYTES: usize = 12 << 20;
/// … and how long one may be.
const LONGEST: usize = 64 << 10;

/// Remembers the classes of short forms. It compares whole forms, so that no two are ever taken for the same by chance.
/// When it is full it forgets all and begins anew.
#[derive(Debug, Default)]
pub(crate) struct Memo {
    hasher: DefaultHashBuilder,
    table: HashTable<Form>,
    text: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Form {
    hash: u64,
    start: u32,
    length: u32,
    class: u32,
}

impl Memo {
    pub(crate) fn hash(&self, form: &[u8]) -> u64 {
        self.hasher.hash_one(form)
    }

    /// The class of a form.
    pub(crate) fn get(&self, hash: u64, form: &[u8]) -> Option<u32> {
        let found = self.table.find(hash, |entry| {
            let start = entry.start as usize;
            entry.hash == hash && self.text.get(start..start + entry.length as usize) == Some(form)
        });
        found.map(|entry| entry.class)
    }

    /// Remembers the class of a form that is not known.
    pub(crate) fn put(&mut self, hash: u64, form: &[u8], class: u32) {
        if form.len() > LONGEST {
            return;
        }
        if self.table.len() >= MOST_FORMS || self.text.len() + form.len() > MOST_BYTES {
            self.table.clear();
            self.text.clear();
        }
        // Both fit: the text is shorter than 4 GiB.
        let entry = Form { hash, start: self.text.len() as u32, length: form.len() as u32, class };
        self.text.extend_from_slice(form);
        self.table.insert_unique(hash, entry, |entry| entry.hash);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memo_that_is_full_begins_anew_and_stays_right() {
        let mut memo = Memo::default();
        for number in 0..250_000_u32 {
            let form = number.to_le_bytes();
            let hash = memo.hash(&form);
            assert_eq!(memo.get(hash, &form), None);
            memo.put(hash, &form, number);
            assert_eq!(memo.get(hash, &form), Some(number));
        }
        assert!(memo.table.len() <= MOST_FORMS && memo.text.len() <= MOST_BYTES);
    }
}
