//! The language of queries and updates, as MongoDB 4.0 means it: filters, updates, projections, sorts.
//! Pure: values go in, values come out. Which documents are looked at, and where they rest, is `database`'s matter.

pub mod aggregate;
pub mod error;
pub mod filter;
pub mod geo;
pub mod index;
pub mod projection;
pub mod sort;
pub mod update;

pub use error::{QueryError, QueryErrorKind};
pub use filter::{Bounds, Condition, Filter, Interval, Probe};
pub use geo::{CellKeys, Covering, Near};
pub use index::{IndexKey, IndexKeys, KeyKind, KeyPattern};
pub use projection::Projection;
pub use sort::{Sort, SortKey};
pub use update::{FieldChanges, Update};

#[cfg(test)]
mod cases;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod shelf;
