//! Lossless configuration documents, read with file, line and span.
