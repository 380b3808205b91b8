//! A digest as a report: JSON, Markdown, text for people, and the text of pt-query-digest.

mod choice;
mod facts;
pub mod human;
pub mod json;
pub mod markdown;
mod numbers;
pub mod toolkit;
mod wording;

use crate::class::{Class, Sample};
use crate::redact::redact;

pub use choice::{Aggregate, Choice, Chosen, Limit, OrderBy, Outliers};

/// What a report shows.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// By what classes are ranked.
    pub order_by: OrderBy,
    /// How many classes are shown.
    pub limit: Limit,
    /// Classes to show beyond the limit, as pt-query-digest does; none where there is none.
    pub outliers: Option<Outliers>,
    /// Whether statements are shown with their literals. Without it `?` stands for each.
    pub show_literals: bool,
}

impl Options {
    /// The fingerprint as it may be shown: what still looks like a literal in it goes.
    fn fingerprint(&self, class: &Class) -> Shown {
        self.shown(class.fingerprint())
    }

    /// The statement of a sample as it may be shown.
    fn statement(&self, sample: &Sample) -> Shown {
        let mut shown = self.shown(&sample.query);
        shown.redacted |= sample.redacted;
        shown
    }

    /// What a class does, in a line: verb and tables, or the fingerprint where pt-query-digest has no words for it.
    fn doing(&self, class: &Class) -> String {
        let words = wording::line(&self.shown(&facts::distillate(class)).text);
        if words.is_empty() { wording::line(&self.fingerprint(class).text) } else { words }
    }

    fn shown(&self, text: &[u8]) -> Shown {
        if self.show_literals {
            return Shown { text: lossy(text), redacted: false };
        }
        let redacted = redact(text);
        Shown { redacted: redacted != text, text: lossy(&redacted) }
    }
}

/// Text that may be shown.
struct Shown {
    text: String,
    /// Whether something was taken out.
    redacted: bool,
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}
