//! The layers of the stack: facts, stations, symptoms and causes.
