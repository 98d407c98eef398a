//! Aggregation: stages that documents go through, and the expressions in them.

pub mod expressions;

pub use expressions::{Expression, Names, Scope};
