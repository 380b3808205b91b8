//! The command line of `narrows queries fingerprint`.

use clap::{Args, ValueEnum};

use super::Compatibility;

#[derive(Debug, Args)]
#[command(
    after_help = "Reads statements from standard input where none is given. IDs are those of pt-query-digest: the upper-case MD5 of \
    the fingerprint; its last 16 digits are the IDs of tools built on go-mysql.\nExit status: 0 done, 2 usage, 3 could not read"
)]
pub(crate) struct Fingerprint {
    /// Statements [default: standard input]
    #[arg(value_name = "STATEMENT")]
    pub(crate) statements: Vec<String>,
    /// What separates the statements of standard input
    #[arg(long, value_enum, default_value_t = Separator::Lines)]
    pub(crate) separator: Separator,
    /// Whose rules: those of pt-query-digest 3.4 and later, or up to 3.3
    #[arg(long, value_enum, default_value_t = Compatibility::V34)]
    pub(crate) compat: Compatibility,
    /// Leave digits within words alone, as in users_2009
    #[arg(long)]
    pub(crate) preserve_embedded_numbers: bool,
    /// Replace MD5 sums that follow `.`, `_` or `-`
    #[arg(long)]
    pub(crate) match_md5_checksums: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t = FingerprintFormat::Human)]
    pub(crate) format: FingerprintFormat,
}

/// What separates statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Separator {
    /// Each line is one
    Lines,
    /// Semicolons outside of quotes and comments
    Semicolons,
}

/// How fingerprints are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FingerprintFormat {
    /// ID and fingerprint on a line
    Human,
    /// A JSON object on a line: checksum, checksum_16, fingerprint, distillate
    Json,
}
