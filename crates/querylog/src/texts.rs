//! Values of text attributes with how often each was met, in bounded room.
//!
//! Up to a limit of distinct values all counts are exact. Beyond it the values kept are those whose hashes are smallest:
//! each of them still has its exact count, whatever order the events came in and however they were split over threads, and
//! they are a fair sample of all values. How many events had others is known exactly too.

/// Values of one attribute, by how often they were met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    limit: usize,
    total: u64,
    /// Sorted by hash.
    kept: Vec<Kept>,
    /// Whether a value was left out.
    overflowed: bool,
    /// The last value of the alphabet, whether it is kept or not.
    max: Option<Box<[u8]>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Kept {
    hash: u64,
    count: u64,
    value: Box<[u8]>,
}

/// The hash by which values are kept or left out: the same in every process and version, so that saved digests merge.
pub(crate) fn hash(value: &[u8]) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let fold = |state: u64, word: u64| {
        let wide = u128::from(state ^ word) * u128::from(ODD);
        (wide as u64) ^ (wide >> 64) as u64
    };
    let (words, rest) = value.as_chunks::<8>();
    let mut state = 0x6e61_7272_6f77_7300 ^ value.len() as u64;
    for word in words {
        state = fold(state, u64::from_le_bytes(*word)).rotate_left(23);
    }
    let mut last = [0; 8];
    for (to, from) in last.iter_mut().zip(rest) {
        *to = *from;
    }
    let state = fold(state, u64::from_le_bytes(last));
    fold(state, ODD)
}

impl Texts {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, total: 0, kept: Vec::new(), overflowed: false, max: None }
    }

    /// Takes a value whose hash is known.
    pub(crate) fn add(&mut self, hash: u64, value: &[u8]) {
        self.add_many(hash, value, 1);
    }

    pub(crate) fn add_many(&mut self, hash: u64, value: &[u8], count: u64) {
        self.total = self.total.saturating_add(count);
        let place = if self.kept.len() <= 8 {
            self.kept.iter().position(|kept| kept.hash >= hash).unwrap_or(self.kept.len())
        } else {
            self.kept.partition_point(|kept| kept.hash < hash)
        };
        if let Some(kept) = self.kept.get_mut(place)
            && kept.hash == hash
        {
            kept.count = kept.count.saturating_add(count);
            return;
        }
        if self.max.as_deref().is_none_or(|max| value > max) {
            self.max = Some(value.into());
        }
        if self.overflowed && place >= self.limit {
            return;
        }
        if place < self.limit {
            self.kept.insert(place, Kept { hash, count, value: value.into() });
        } else {
            self.overflowed = true;
        }
        if self.kept.len() > self.limit {
            self.kept.truncate(self.limit);
            self.overflowed = true;
        }
    }

    /// Takes all that another took.
    pub fn merge(&mut self, other: &Self) {
        for kept in &other.kept {
            self.add_many(kept.hash, &kept.value, kept.count);
        }
        let kept = other.kept.iter().fold(0_u64, |sum, kept| sum.saturating_add(kept.count));
        self.total = self.total.saturating_add(other.total.saturating_sub(kept));
        self.overflowed |= other.overflowed;
        if self.max < other.max {
            self.max.clone_from(&other.max);
        }
    }

    pub(crate) fn from_parts(
        limit: usize,
        total: u64,
        overflowed: bool,
        max: Option<Vec<u8>>,
        values: Vec<(Vec<u8>, u64)>,
    ) -> Self {
        let mut texts = Self::new(limit);
        for (value, count) in values {
            texts.add_many(hash(&value), &value, count);
        }
        texts.overflowed |= overflowed;
        texts.total = total;
        texts.max = max.map(Vec::into_boxed_slice).max(texts.max);
        texts
    }

    /// The last value of the alphabet: what pt-query-digest's JSON shows of a text attribute.
    #[must_use]
    pub fn max(&self) -> Option<&[u8]> {
        self.max.as_deref()
    }

    /// How many events had the attribute.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Whether all values that were met are here.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        !self.overflowed
    }

    /// About how many different values were met: exact while complete, else estimated from the hashes.
    #[must_use]
    pub fn distinct(&self) -> u64 {
        match self.kept.last() {
            Some(last) if self.overflowed && last.hash > 0 => {
                let share = last.hash as f64 / u64::MAX as f64;
                ((self.kept.len() as f64 - 1.0) / share) as u64
            }
            _ => self.kept.len() as u64,
        }
    }

    /// Values and counts in no order that means anything.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], u64)> {
        self.kept.iter().map(|kept| (&*kept.value, kept.count))
    }

    /// Values and counts, the most frequent first, ties by value.
    #[must_use]
    pub fn ranked(&self) -> Vec<(&[u8], u64)> {
        let mut ranked: Vec<_> = self.iter().collect();
        ranked.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        ranked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_same_for_ever() {
        assert_eq!(
            [hash(b""), hash(b"wp_shop"), hash(b"web1.example.net")].map(|hash| format!("{hash:016x}")),
            ["2332a3d88ed25806", "0ec2641f9e69b302", "077be064d210aebd"]
        );
    }

    #[test]
    fn beyond_the_limit_the_same_values_stay_in_any_order_and_split() {
        let values: Vec<String> = (0..500).map(|number| format!("value {}", number % 100)).collect();
        let add = |texts: &mut Texts, value: &String| texts.add(hash(value.as_bytes()), value.as_bytes());
        let (mut forward, mut left, mut right) = (Texts::new(10), Texts::new(10), Texts::new(10));
        values.iter().for_each(|value| add(&mut forward, value));
        values.iter().rev().enumerate().for_each(|(place, value)| {
            add(if place % 3 == 0 { &mut left } else { &mut right }, value);
        });
        right.merge(&left);
        assert_eq!(forward, right);
        assert_eq!(forward.total(), 500);
        assert!(forward.iter().all(|(_, count)| count == 5));
        assert!(!forward.is_complete() && (50..200).contains(&forward.distinct()));
    }
}
