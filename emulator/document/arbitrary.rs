//! Generators of arbitrary values, for the property tests of this crate and of those above it (feature `arbitrary`).
