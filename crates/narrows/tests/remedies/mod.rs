//! [`lab::site`] is a place to run narrows in, [`round`] the way there and back that every remedy goes.

mod files;
mod machine;
mod owners;
mod pools;
mod ports;
mod queues;
mod round;
mod settings;
