//! What memory management did over the window.
