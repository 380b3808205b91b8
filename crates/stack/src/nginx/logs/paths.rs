//! The paths that took most, in a bounded memory.

use std::collections::HashMap;

use crate::nginx::UriUse;

/// How many paths are told of.
const TOLD: usize = 20;
/// Paths kept after those that took least were let go; twice as many are kept before that.
const KEPT: usize = 4096;
/// The longest path that is kept apart from others with the same beginning, in bytes.
const LONGEST: usize = 256;

/// What one path took.
#[derive(Debug, Default, Clone, Copy)]
struct Use {
    requests: u64,
    milliseconds: u64,
    errors: u64,
}

impl Use {
    fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.milliseconds = self.milliseconds.saturating_add(other.milliseconds);
        self.errors += other.errors;
    }

    /// By time where times are known, else by requests.
    fn weight(&self) -> (u64, u64) {
        (self.milliseconds, self.requests)
    }
}

/// Counts requests by path.
#[derive(Debug, Default)]
pub(super) struct Paths {
    uses: HashMap<Box<[u8]>, Use>,
    let_go: Use,
    wp_cron: Use,
}

/// What is told of the paths.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) top: Vec<UriUse>,
    pub(super) others: UriUse,
    pub(super) wp_cron: Option<UriUse>,
}

impl Paths {
    pub(super) fn add(&mut self, path: &[u8], milliseconds: u64, error: bool) {
        let one = Use { requests: 1, milliseconds, errors: u64::from(error) };
        if path.ends_with(b"/wp-cron.php") {
            self.wp_cron.add(one);
        }
        let path = path.get(..LONGEST).unwrap_or(path);
        if let Some(uses) = self.uses.get_mut(path) {
            uses.add(one);
            return;
        }
        if self.uses.len() >= 2 * KEPT {
            self.let_go_of_half();
        }
        self.uses.insert(path.into(), one);
    }

    fn let_go_of_half(&mut self) {
        let mut weights: Vec<_> = self.uses.values().map(Use::weight).collect();
        let (_, bound, _) = weights.select_nth_unstable(KEPT);
        let (bound, let_go) = (*bound, &mut self.let_go);
        self.uses.retain(|_, uses| {
            let kept = uses.weight() > bound;
            if !kept {
                let_go.add(*uses);
            }
            kept
        });
    }

    /// The paths that took most. `timed` says whether the log has times.
    pub(super) fn told(self, timed: bool) -> Told {
        let told = |path: String, uses: Use| UriUse {
            path,
            requests: uses.requests,
            seconds: timed.then(|| std::time::Duration::from_millis(uses.milliseconds).as_secs_f64()),
            errors: uses.errors,
        };
        let mut all: Vec<_> = self.uses.into_iter().collect();
        all.sort_unstable_by(|(path, a), (other, b)| {
            b.weight().cmp(&a.weight()).then_with(|| path.cmp(other))
        });
        let rest = all.split_off(all.len().min(TOLD));
        let mut others = self.let_go;
        rest.iter().for_each(|(_, uses)| others.add(*uses));
        let mut top: Vec<(String, Use)> = Vec::new();
        for (path, uses) in all {
            let shown = without_tokens(&path);
            match top.iter_mut().find(|(known, _)| *known == shown) {
                Some((_, known)) => known.add(uses),
                None => top.push((shown, uses)),
            }
        }
        let wp_cron = (self.wp_cron.requests > 0).then(|| told("/wp-cron.php".to_owned(), self.wp_cron));
        let top = top.into_iter().map(|(path, uses)| told(path, uses)).collect();
        Told { top, others: told(String::new(), others), wp_cron }
    }
}

/// A path in which what looks like a token (a reset key, an API key, a session) is an ellipsis.
fn without_tokens(path: &[u8]) -> String {
    let text = String::from_utf8_lossy(path);
    let segment = |segment| if looks_like_a_token(segment) { "…" } else { segment };
    text.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// Twenty signs and more without a word in them: digits and letters take turns, as no name that a person chose has them.
fn looks_like_a_token(segment: &str) -> bool {
    let sign = |c: char| c.is_ascii_alphanumeric() || "-_=.~%+".contains(c);
    let turns = segment.as_bytes().windows(2).filter(|pair| {
        matches!(pair, [a, b] if a.is_ascii_digit() != b.is_ascii_digit() && a.is_ascii_alphanumeric() && b.is_ascii_alphanumeric())
    });
    segment.len() >= 20 && segment.chars().all(sign) && turns.count() >= 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paths_that_took_most_come_first_and_the_rest_is_stated() {
        let mut paths = Paths::default();
        for number in 0..100_000 {
            paths.add(format!("/search/{number}").as_bytes(), 1, false);
            paths.add(b"/slow", 10, number % 2 == 0);
        }
        paths.add(b"/shop/wp-cron.php", 5000, false);
        let told = paths.told(true);
        assert_eq!(
            told.top[0],
            UriUse { path: "/slow".into(), requests: 100_000, seconds: Some(1000.0), errors: 50_000 }
        );
        assert_eq!(told.top[1].path, "/shop/wp-cron.php");
        assert_eq!(told.wp_cron.unwrap().seconds, Some(5.0));
        let told_of: u64 = told.top.iter().map(|one| one.requests).sum();
        assert_eq!(told_of + told.others.requests, 200_001);
    }

    #[test]
    fn tokens_in_paths_are_not_told() {
        assert_eq!(without_tokens(b"/reset/a8f3k29dk3l2m9s8d7f6g5/now"), "/reset/…/now");
        for path in [
            "/2026/11/a-long-title-of-an-article-from-2026/",
            "/wp-content/themes/twentytwentythree/style.css",
        ] {
            assert_eq!(without_tokens(path.as_bytes()), path);
        }
    }
}
