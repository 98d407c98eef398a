//! Places on the sphere: what GeoJSON values say, how they lie to each other, how far a point is from them, and the cells
//! an index knows them by (semantics §2.5). Pure; the operators of a query document are read in `filter/geo.rs`.
//!
//! A shape is a number of parts, each a point, a line or a polygon whose edges are great circles; multi-part geometries and
//! collections are the sum of their parts. Geometry itself is the crate `s2rst`'s, a port of the library MongoDB uses.
//!
//! ## Differences from the cloud
//! - A line along a polygon's edge meets it in either direction; in MongoDB only in one.

mod cells;
mod geojson;
#[cfg(test)]
mod laws;
mod near;
mod parts;
mod planar;
mod region;
mod ring;

pub use cells::{CellKeys, Covering, Ring};
pub use near::{Near, Nearest};

pub(crate) use region::{Region, Relation};

/// The radius of the sphere that MongoDB measures on (semantics DB-2.44).
pub const EARTH_RADIUS_METRES: f64 = 6_378_100.0;
