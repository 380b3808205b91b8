//! Which classes a report shows, and in which order.

use std::str::FromStr;

use crate::attribute::Attribute;
use crate::class::Class;
use crate::digest::Digest;

/// What of an attribute counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Aggregate {
    /// The sum of all events.
    #[default]
    Sum,
    /// The least value.
    Min,
    /// The largest value.
    Max,
    /// How many events have it.
    Count,
    /// The mean.
    Average,
}

/// By what classes are ranked: `Query_time:sum`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderBy {
    /// The attribute.
    pub attribute: Attribute,
    /// What of it.
    pub aggregate: Aggregate,
}

impl Default for OrderBy {
    fn default() -> OrderBy {
        OrderBy { attribute: Attribute::QUERY_TIME, aggregate: Aggregate::Sum }
    }
}

impl FromStr for OrderBy {
    type Err = String;

    fn from_str(text: &str) -> Result<OrderBy, String> {
        let (name, aggregate) = text.split_once(':').unwrap_or((text, "sum"));
        let aggregate = match aggregate {
            "sum" => Aggregate::Sum,
            "min" => Aggregate::Min,
            "max" => Aggregate::Max,
            "cnt" | "count" => Aggregate::Count,
            "avg" => Aggregate::Average,
            other => return Err(format!("{other} is none of sum, min, max, cnt, avg")),
        };
        let attribute = Attribute::meant(name).ok_or_else(|| {
            format!(
                "no log has an attribute {name}; examples: Query_time, Lock_time, Rows_examined, Rows_sent"
            )
        })?;
        Ok(OrderBy { attribute, aggregate })
    }
}

impl std::fmt::Display for OrderBy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let aggregate = match self.aggregate {
            Aggregate::Sum => "sum",
            Aggregate::Min => "min",
            Aggregate::Max => "max",
            Aggregate::Count => "cnt",
            Aggregate::Average => "avg",
        };
        write!(f, "{}:{aggregate}", self.attribute)
    }
}

impl OrderBy {
    /// The class's value, exact where it is a whole number; of a mean, as many parts as keep the order.
    #[must_use]
    pub fn value(&self, class: &Class) -> u128 {
        let Some(metric) = class.metric(self.attribute) else { return 0 };
        match self.aggregate {
            Aggregate::Sum => metric.exact_sum(),
            Aggregate::Min => metric.exact_min().into(),
            Aggregate::Max => metric.exact_max().into(),
            Aggregate::Count => metric.count().into(),
            Aggregate::Average => (metric.exact_sum() << 20) / u128::from(metric.count().max(1)),
        }
    }
}

/// How many classes are shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// All.
    All,
    /// The first.
    First(usize),
    /// The first that together make this share (0 to 1) of the total, and no more than so many.
    Share(f64, Option<usize>),
}

impl Default for Limit {
    fn default() -> Limit {
        Limit::First(20)
    }
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Limit, String> {
        let wrong =
            || format!("{text} is neither a number of classes, nor all, nor a share such as 95% or 95%:20");
        if text == "all" {
            return Ok(Limit::All);
        }
        let (share, most) = text.split_once(':').map_or((text, None), |(share, most)| (share, Some(most)));
        let Some(percent) = share.strip_suffix('%') else {
            return text.parse().map(Limit::First).map_err(|_| wrong());
        };
        let percent: f64 = percent.parse().map_err(|_| wrong())?;
        let most = most.map(str::parse).transpose().map_err(|_| wrong())?;
        if (0.0..=100.0).contains(&percent) { Ok(Limit::Share(percent / 100.0, most)) } else { Err(wrong()) }
    }
}

/// Classes that are shown although they lie beyond the limit: `--outliers Query_time:1:10` of pt-query-digest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outliers {
    /// The attribute.
    pub attribute: Attribute,
    /// The least 95 % quantile, in seconds or whatever is counted.
    pub least: f64,
    /// The fewest events.
    pub fewest: u64,
}

impl Default for Outliers {
    fn default() -> Outliers {
        Outliers { attribute: Attribute::QUERY_TIME, least: 1.0, fewest: 10 }
    }
}

impl Outliers {
    fn include(&self, class: &Class) -> bool {
        class.metric(self.attribute).is_some_and(|metric| {
            metric.has_spread()
                && metric.count() >= self.fewest
                && metric.spread().percentile_95 >= self.least
        })
    }
}

/// A class that is shown.
#[derive(Debug, Clone, Copy)]
pub struct Chosen<'a> {
    /// The class.
    pub class: &'a Class,
    /// Its rank, from 1.
    pub rank: usize,
    /// Whether it lies beyond the limit and is shown as an outlier.
    pub outlier: bool,
}

/// Classes in order: those that are shown, and the others.
#[derive(Debug, Clone, Default)]
pub struct Choice<'a> {
    /// Those that are shown.
    pub shown: Vec<Chosen<'a>>,
    /// The others.
    pub others: Vec<&'a Class>,
}

impl<'a> Choice<'a> {
    /// Chooses by order, limit and outliers. Classes without the attribute that orders are in neither list.
    #[must_use]
    pub fn of(digest: &'a Digest, order_by: OrderBy, limit: Limit, outliers: Option<Outliers>) -> Choice<'a> {
        let mut ranked = digest.ranked_by(|class| order_by.value(class));
        ranked.retain(|class| class.metric(order_by.attribute).is_some());
        let total: u128 = ranked.iter().map(|class| order_by.value(class)).sum();
        let mut choice = Choice::default();
        let mut so_far = 0;
        for (place, class) in ranked.into_iter().enumerate() {
            let within = match limit {
                Limit::All => true,
                Limit::First(most) => place < most,
                Limit::Share(share, most) => {
                    (so_far as f64) < share * total as f64 && most.is_none_or(|most| place < most)
                }
            };
            so_far += order_by.value(class);
            let outlier = !within && outliers.is_some_and(|outliers| outliers.include(class));
            if within || outlier {
                choice.shown.push(Chosen { class, rank: place + 1, outlier });
            } else {
                choice.others.push(class);
            }
        }
        choice
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_and_orders_are_read_or_refused_with_what_would_do() {
        assert_eq!("all".parse(), Ok(Limit::All));
        assert_eq!("5".parse(), Ok(Limit::First(5)));
        assert_eq!("95%:20".parse(), Ok(Limit::Share(0.95, Some(20))));
        assert!("many".parse::<Limit>().unwrap_err().contains("95%:20"));
        let order: OrderBy = "rows_examined:max".parse().unwrap();
        assert_eq!(order.to_string(), "Rows_examined:max");
        assert!("Query_time:mode".parse::<OrderBy>().unwrap_err().contains("sum"));
    }
}
