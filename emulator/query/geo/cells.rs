//! The cells by which an index knows places: the sphere cut into squares, each into four, thirty times over.
//!
//! A cell's number is its place on a curve through all of them, and the numbers of the cells within it lie next to its own.
//! A document is stored under the few cells that cover it; a query looks within the cells that cover its region, and at the
//! cells around those. What it finds are candidates: the filter decides.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use document::{DocumentRef, ValueRef, to_shell_text};
use s2rst::s1::Angle;
use s2rst::s2::region_coverer::RegionCoverer;
use s2rst::s2::region_intersection::RegionIntersection;
use s2rst::s2::{Cap, CellId, Point};

use super::geojson::Geometry;
use super::parts::Part;
use crate::QueryError;
use crate::filter::{Arrays, WalkPath, walk};

/// How many cells cover a stored line or polygon.
const DOCUMENT_CELLS_MAX: usize = 8;
/// How many cells cover a region that is asked about.
const REGION_CELLS_MAX: usize = 20;
/// The first ring around a point reaches this far beyond the least distance; each further one twice as far.
const RING_RADIANS_FIRST: f64 = 1e-4;
/// What rounding may make of a distance on its way to a cell.
const RADIANS_SLACK: f64 = 1e-12;

/// The cells of the geometries at a path: the keys of a `2dsphere` index.
#[derive(Debug, Clone)]
pub struct CellKeys {
    path: WalkPath,
}

impl CellKeys {
    /// Any text is a path, as in filters.
    pub fn new(path: &str) -> CellKeys {
        CellKeys { path: WalkPath::parse(path) }
    }

    /// The cells to store `document` under, in order and each once. None where the field is missing, null or empty.
    /// Fails with MongoDB's text where a value there is no geometry (semantics DB-2.46).
    pub fn of(&self, document: DocumentRef<'_>) -> Result<Vec<u64>, QueryError> {
        let mut cells = BTreeSet::new();
        walk(document.into(), self.path.segments(), Arrays::Whole, &mut |value, _| {
            if let Some(value) = value.filter(|value| !is_nothing(*value)) {
                collect(&self.path, value, &mut cells).map_err(|error| explain(document, &error))?;
            }
            Ok(false)
        })?;
        Ok(cells.into_iter().collect())
    }
}

/// Where in an index the candidates for a region are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Covering {
    /// The cells that cover the region, each with all within it. In order, apart from each other.
    pub ranges: Vec<RangeInclusive<u64>>,
    /// The cells around those: a large geometry is stored under a large cell. In order, each once.
    pub ancestors: Vec<u64>,
}

impl Covering {
    /// Whether what is stored under `key` is a candidate.
    pub fn contains(&self, key: u64) -> bool {
        self.ranges.iter().any(|range| range.contains(&key)) || self.ancestors.binary_search(&key).is_ok()
    }

    pub(super) fn of_parts(parts: &[Part]) -> Covering {
        let coverer = coverer(REGION_CELLS_MAX);
        let mut cells: Vec<CellId> = parts.iter().flat_map(|part| part.covering(&coverer)).collect();
        if parts.len() > 1 {
            coverer.canonicalize_covering(&mut cells);
        }
        Covering::of_cells(&cells)
    }

    pub(super) fn of_cap(cap: &Cap) -> Covering {
        Covering::of_cells(coverer(REGION_CELLS_MAX).covering(cap).cell_ids())
    }

    fn of_cells(cells: &[CellId]) -> Covering {
        let ancestors: BTreeSet<u64> = cells.iter().flat_map(|cell| ancestors(*cell)).collect();
        let mut ranges: Vec<_> = cells.iter().map(|cell| cell.range_min().id()..=cell.range_max().id()).collect();
        ranges.sort_by_key(|range| *range.start());
        Covering { ranges, ancestors: ancestors.into_iter().collect() }
    }
}

/// All places whose distance from a point is within two bounds, both included.
#[derive(Debug, Clone, PartialEq)]
pub struct Ring {
    /// The least distance, in radians or metres as the query has them.
    pub inner: f64,
    /// The largest distance. Once this ring is looked up, every document up to that far has been found.
    pub outer: f64,
    /// Where in an index the candidates are. One that is nearer, or that reaches beyond the ring, may be among them.
    pub covering: Covering,
}

/// The rings around `centre` from the least to the largest distance, nearest first. Distances in radians.
pub(super) fn rings(centre: Point, minimum: f64, maximum: f64) -> impl Iterator<Item = Ring> {
    let maximum = maximum.min(std::f64::consts::PI);
    let mut next = (minimum <= maximum).then_some((minimum, RING_RADIANS_FIRST));
    std::iter::from_fn(move || {
        let (inner, width) = next?;
        let outer = (inner + width).min(maximum);
        next = (outer < maximum).then_some((outer, width * 2.0));
        Some(Ring { inner, outer, covering: ring_covering(centre, inner, outer) })
    })
}

fn ring_covering(centre: Point, inner: f64, outer: f64) -> Covering {
    let cap = |radius: f64| Cap::from_center_angle(centre, Angle::from_radians(radius.min(std::f64::consts::PI)));
    let disc = cap(outer + RADIANS_SLACK);
    if inner <= RADIANS_SLACK {
        return Covering::of_cap(&disc);
    }
    let ring =
        RegionIntersection::from_regions(vec![Box::new(disc), Box::new(cap(inner - RADIANS_SLACK).complement())]);
    Covering::of_cells(coverer(REGION_CELLS_MAX).covering(&ring).cell_ids())
}

fn collect(path: &WalkPath, value: ValueRef<'_>, cells: &mut BTreeSet<u64>) -> Result<(), QueryError> {
    if value.as_document().is_none() && value.as_array().is_none() {
        let name = path.segments().last().map_or("", |segment| &*segment.name);
        let text = format!("geo element must be an array or object: {name}: {}", to_shell_text(value));
        return Err(QueryError::bad_query(text));
    }
    let coverer = coverer(DOCUMENT_CELLS_MAX);
    let mut add = |geometry: &Geometry| {
        cells.extend(geometry.parts().iter().flat_map(|part| part.covering(&coverer)).map(CellId::id));
    };
    let geometry = Geometry::parse_stored(value)?;
    if geometry.parts().is_empty() {
        let text = format!("can't project geometry into spherical CRS: {}", to_shell_text(value));
        return Err(QueryError::bad_query(text));
    }
    add(&geometry);
    // Conditions look at an array's elements too, such as the pair in `[1, 2, [3, 4]]`.
    for element in value.as_array().into_iter().flat_map(|array| array.iter()) {
        Geometry::parse_stored(element).iter().for_each(&mut add);
    }
    Ok(())
}

fn coverer(cells_max: usize) -> RegionCoverer {
    RegionCoverer::new().max_cells(cells_max)
}

fn ancestors(cell: CellId) -> impl Iterator<Item = u64> {
    let above = |cell: &CellId| (!cell.is_face()).then(|| cell.parent());
    std::iter::successors(above(&cell), above).map(CellId::id)
}

fn is_nothing(value: ValueRef<'_>) -> bool {
    match value {
        ValueRef::Null | ValueRef::Undefined => true,
        ValueRef::Document(document) => document.is_empty(),
        ValueRef::Array(array) => array.is_empty(),
        _ => false,
    }
}

fn explain(document: DocumentRef<'_>, reason: &QueryError) -> QueryError {
    QueryError::write_failed(format!("Can't extract geo keys: {}  {}", to_shell_text(document.into()), reason.message))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use document::{DateTime, decode_text};

    use super::*;

    #[test]
    fn keys_of_documents() {
        check("a", r#"{"a": {"type": "Point", "coordinates": [113, 23]}}"#, Ok(1));
        check("a", r#"{"a": [113, 23]}"#, Ok(1));
        check("a.b", r#"{"a": [{"b": [113, 23]}, {"b": [113, 24]}, {"b": [113, 23]}, {}]}"#, Ok(2));
        check("a", r#"{"a": {"type": "MultiPoint", "coordinates": [[1, 2], [3, 4]]}}"#, Ok(2));
        check("a", r#"{"a": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [0, 1], [0, 0]]]}}"#, Ok(8));
        for nothing in ["{}", r#"{"a": null}"#, r#"{"a": []}"#, r#"{"a": {}}"#] {
            check("a", nothing, Ok(0));
        }
    }

    #[test]
    fn documents_that_no_index_takes() {
        check(
            "a",
            r#"{"a": 5}"#,
            Err("Can't extract geo keys: { a: 5 }  geo element must be an array or object: a: 5"),
        );
        check(
            "a.b",
            r#"{"a": {"b": "x"}}"#,
            Err("Can't extract geo keys: { a: { b: \"x\" } }  geo element must be an array or object: b: \"x\""),
        );
        check(
            "a",
            r#"{"a": [[1, 2], [3, 4]]}"#,
            Err("Can't extract geo keys: { a: [ [ 1, 2 ], [ 3, 4 ] ] }  Point must only contain numeric elements"),
        );
        check(
            "a",
            r#"{"a": [200, 0]}"#,
            Err("Can't extract geo keys: { a: [ 200, 0 ] }  can't project geometry into spherical CRS: [ 200, 0 ]"),
        );
        check(
            "a",
            r#"{"a": {"type": "Point", "coordinates": [200.5, 0]}}"#,
            Err("Can't extract geo keys: { a: { type: \"Point\", coordinates: [ 200.5, 0 ] } }  \
                 longitude/latitude is out of bounds, lng: 200.5 lat: 0"),
        );
    }

    #[test]
    fn a_large_cell_is_found_from_a_small_region() {
        let covering =
            Covering::of_cap(&Cap::from_center_angle(Point::from_coords(1.0, 0.0, 0.0), Angle::from_degrees(0.01)));
        let key =
            |text: &str| CellKeys::new("a").of((&decode_text(text, DateTime::from_millis(0)).unwrap()).into()).unwrap();
        let large =
            r#"{"a": {"type": "Polygon", "coordinates": [[[-40, -40], [40, -40], [40, 40], [-40, 40], [-40, -40]]]}}"#;
        assert!(key(large).iter().any(|key| covering.contains(*key)));
        assert!(!key(r#"{"a": [10, 0]}"#).iter().any(|key| covering.contains(*key)));
    }

    fn check(path: &str, text: &str, expected: Result<usize, &str>) {
        let document = decode_text(text, DateTime::from_millis(0)).unwrap();
        let found = CellKeys::new(path).of((&document).into());
        let found = found.as_ref().map(Vec::len).map_err(|error| error.message.as_str());
        assert_eq!(found, expected, "{path} of {text}");
    }
}
