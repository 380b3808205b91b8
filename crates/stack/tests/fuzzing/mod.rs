//! A deterministic mutation fuzzer: real inputs are damaged, and nothing may panic.
//!
//! A case is named by its seed; the same corpus and seed give the same input on any machine. `NARROWS_FUZZ_CASES` says
//! how many cases are run (a small number otherwise) and adds what this host says now to the corpus;
//! `NARROWS_FUZZ_SEED` moves all seeds.

pub(crate) mod corpus;
pub(crate) mod edits;
pub(crate) mod mutate;
pub(crate) mod parsers;
pub(crate) mod random;
pub(crate) mod run;
pub(crate) mod trees;
