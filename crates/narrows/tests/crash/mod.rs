//! Kills, worlds to kill in, and what must hold afterwards.

mod databases;
mod kills;
mod kinds;
mod machine;
mod people;
mod plans;
mod refusals;
mod scenarios;
mod sets;
mod snapshot;
mod system_calls;
mod tracer;
mod tracer_tests;
mod trials;
mod world;
