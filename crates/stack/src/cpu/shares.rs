//! How CPUs spent the window.
