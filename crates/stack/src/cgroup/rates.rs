//! What groups used of their limits over the window.
