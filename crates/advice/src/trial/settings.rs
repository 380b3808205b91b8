//! Where a trial happens, and how much it may cost.

/// Where the copies lie.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Place {
    /// On a MariaDB that is started for the trial, and removed with its data.
    #[default]
    ThrowAway,
    /// In schemas of their own on the server that is read.
    SameServer,
}

/// What a trial may cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// The most that is copied, in bytes of data; larger tables are sampled. The trial holds it twice.
    pub bytes: u64,
    /// The longest that copying may take, in seconds.
    pub copy_s: u64,
    /// The longest that one step of an advice may take, all chunks of a backfill together, in seconds.
    pub step_s: u64,
    /// The longest that one query may take, in seconds.
    pub statement_s: u64,
    /// How often each query runs on either copy; at least 5.
    pub pairs: usize,
    /// The longest that the turns of one query may take, in seconds, once there are 5.
    pub turns_s: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 256 << 20, copy_s: 120, step_s: 600, statement_s: 30, pairs: 9, turns_s: 20 }
    }
}

/// A real query to try.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sample {
    /// Its class ID (32 hexadecimal digits).
    pub class: String,
    /// The statement as it came.
    pub sql: String,
}

/// Rows of one table that belong to a row of another, so that both are sampled together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The table that refers.
    pub child: String,
    /// The column by which it does.
    pub column: String,
    /// The table whose primary key that is.
    pub parent: String,
}

/// Links of WordPress, by the ends of the tables' names, for prefixes differ.
const WORDPRESS: [(&str, &str, &str); 9] = [
    ("postmeta", "post_id", "posts"),
    ("usermeta", "user_id", "users"),
    ("termmeta", "term_id", "terms"),
    ("term_taxonomy", "term_id", "terms"),
    ("commentmeta", "comment_id", "comments"),
    ("comments", "comment_post_ID", "posts"),
    ("term_relationships", "object_id", "posts"),
    ("wc_orders_meta", "order_id", "wc_orders"),
    ("wc_product_meta_lookup", "product_id", "posts"),
];

impl Link {
    /// The links of WordPress and WooCommerce among some tables.
    pub fn of_wordpress(tables: &[String]) -> Vec<Self> {
        let mut links: Vec<Self> = Vec::new();
        for table in tables {
            for (child, column, parent) in WORDPRESS {
                let Some(prefix) = table.strip_suffix(child) else { continue };
                if (prefix.is_empty() || prefix.ends_with('_'))
                    && links.iter().all(|link| link.child != *table)
                {
                    let parent = format!("{prefix}{parent}");
                    links.push(Self { child: table.clone(), column: column.to_owned(), parent });
                }
            }
        }
        links
    }
}
