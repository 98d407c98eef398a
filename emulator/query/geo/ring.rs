//! Polygons from their rings, with MongoDB's complaints about those that are none.

use std::collections::{HashMap, HashSet};

use document::{ValueRef, to_shell_text};
use s2rst::s2::crossing_edge_query::{CrossingEdgeQuery, CrossingType};
use s2rst::s2::{LatLng, Loop, Point, Polygon};

use crate::QueryError;

/// A ring and the text it was read from.
pub(super) struct Ring<'a> {
    pub(super) points: Vec<Point>,
    pub(super) source: ValueRef<'a>,
}

/// A shell and its holes. Each ring's inside is the smaller side of it.
pub(super) fn polygon(rings: Vec<Ring<'_>>, source: ValueRef<'_>) -> Result<Polygon, QueryError> {
    let mut loops: Vec<Loop> = Vec::with_capacity(rings.len());
    let mut shell = None;
    for ring in rings {
        let ring_source = ring.source;
        let mut next = closed_loop(ring)?;
        next.normalize();
        let shell_source = *shell.get_or_insert(ring_source);
        if loops.first().is_some_and(|shell| !shell.contains_loop(&next)) {
            return Err(bad(format!(
                "Secondary loops not contained by first exterior loop - secondary loops must be holes: {} first loop: {}",
                to_shell_text(ring_source),
                to_shell_text(shell_source)
            )));
        }
        loops.push(next);
    }
    if loops.is_empty() {
        return Err(bad("Polygon has no loops."));
    }
    check_together(&loops, source)?;
    Ok(Polygon::from_loops(loops))
}

/// The polygon to the left of its only ring, however large (`strictwinding`).
pub(super) fn big_polygon(ring: Ring<'_>) -> Result<Polygon, QueryError> {
    Ok(Polygon::from_loops(vec![closed_loop(ring)?]))
}

fn closed_loop(ring: Ring<'_>) -> Result<Loop, QueryError> {
    let Ring { mut points, source } = ring;
    let complain = |text: &str| bad(format!("{text}: {}", to_shell_text(source)));
    match (points.first(), points.last()) {
        (Some(first), Some(last)) if first != last => return Err(complain("Loop is not closed")),
        (None, _) | (_, None) => return Err(complain("Loop has no vertices")),
        (Some(_), Some(_)) => {}
    }
    points.dedup();
    points.pop();
    if points.len() < 3 {
        return Err(complain("Loop must have at least 3 different vertices"));
    }
    let invalid = |reason: String| bad(format!("Loop is not valid: {} {reason}", to_shell_text(source)));
    if let Some(reason) = twice(&points) {
        return Err(invalid(reason));
    }
    let checked = Loop::new(points);
    checked.validate().map_err(invalid)?;
    match crossing(&checked) {
        None => Ok(checked),
        Some(reason) => Err(invalid(reason)),
    }
}

fn twice(points: &[Point]) -> Option<String> {
    let mut seen = HashMap::with_capacity(points.len());
    points.iter().enumerate().find_map(|(index, point)| {
        let earlier = seen.insert(bits(*point), index)?;
        Some(format!("Duplicate vertices: {earlier} and {index}"))
    })
}

/// What the first two edges of a ring that cross are called.
fn crossing(ring: &Loop) -> Option<String> {
    let mut query = CrossingEdgeQuery::new(ring.shape_index());
    let ends = |edge: usize| (ring.vertex(edge), ring.vertex(edge + 1));
    (0..ring.num_vertices()).find_map(|edge| {
        let (from, to) = ends(edge);
        let crossed = query.crossings(from, to, ring, 0, CrossingType::Interior);
        let other = crossed.into_iter().filter_map(|other| usize::try_from(other).ok()).find(|other| *other > edge)?;
        let (other_from, other_to) = ends(other);
        Some(format!(
            "Edges {edge} and {other} cross. Edge locations in degrees: {}-{} and {}-{}",
            degrees(from),
            degrees(to),
            degrees(other_from),
            degrees(other_to)
        ))
    })
}

fn degrees(point: Point) -> String {
    let place = LatLng::from_point(point);
    format!("[{:.7}, {:.7}]", place.lat.degrees(), place.lng.degrees())
}

/// The shell contains each of its holes; here is what else can be wrong with them.
fn check_together(loops: &[Loop], source: ValueRef<'_>) -> Result<(), QueryError> {
    let Some((shell, holes)) = loops.split_first() else { return Ok(()) };
    if holes.is_empty() {
        return Ok(());
    }
    let text = to_shell_text(source);
    if let Some(reason) = shared_edge(loops).or_else(|| crossing_holes(holes)) {
        return Err(bad(format!("Polygon isn't valid: {reason} {text}")));
    }
    let shell: HashSet<_> = shell.vertices().iter().copied().map(bits).collect();
    if let Some(index) = holes.iter().position(|hole| shares_vertices(&shell, hole)) {
        return Err(bad(format!("Loop {} shares more than one vertex with its parent loop 0: {text}", index + 1)));
    }
    if pairs(holes).any(|(_, left, _, right)| left.contains_loop(right) || right.contains_loop(left)) {
        return Err(bad(format!("Polygon interior loops cannot be nested: {text}")));
    }
    Ok(())
}

fn shared_edge(loops: &[Loop]) -> Option<String> {
    let mut seen: HashMap<_, (usize, usize)> = HashMap::new();
    for (number, ring) in loops.iter().enumerate() {
        for edge in 0..ring.num_vertices() {
            let (from, to) = (bits(ring.vertex(edge)), bits(ring.vertex(edge + 1)));
            let earlier = seen.insert((from, to), (number, edge)).or_else(|| seen.insert((to, from), (number, edge)));
            if let Some((other, other_edge)) = earlier {
                return Some(format!("Duplicate edge: loop {number}, edge {edge} and loop {other}, edge {other_edge}"));
            }
        }
    }
    None
}

fn crossing_holes(holes: &[Loop]) -> Option<String> {
    let cross = |left: &Loop, right: &Loop| {
        left.intersects_loop(right) && !left.contains_loop(right) && !right.contains_loop(left)
    };
    pairs(holes)
        .find(|(_, left, _, right)| cross(left, right))
        .map(|(left, _, right, _)| format!("Loop {} crosses loop {}", left + 1, right + 1))
}

fn pairs(loops: &[Loop]) -> impl Iterator<Item = (usize, &Loop, usize, &Loop)> {
    loops.iter().enumerate().flat_map(move |(index, left)| {
        loops.iter().enumerate().skip(index + 1).map(move |(other, right)| (index, left, other, right))
    })
}

/// Whether a hole touches the shell in more than one place.
fn shares_vertices(shell: &HashSet<[u64; 3]>, hole: &Loop) -> bool {
    hole.vertices().iter().filter(|vertex| shell.contains(&bits(**vertex))).count() > 1
}

/// A point as something to look up; both zeros are one.
fn bits(point: Point) -> [u64; 3] {
    [point.x(), point.y(), point.z()].map(|coordinate| (coordinate + 0.0).to_bits())
}

fn bad(message: impl Into<String>) -> QueryError {
    QueryError::bad_query(message)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use document::{Bson, ValueRef};

    use super::super::geojson::on_sphere;
    use super::*;

    #[test]
    fn a_long_ring_that_crosses_itself() {
        let mut corners: Vec<[f64; 2]> = (0..100)
            .map(|step| f64::from(step) / 100.0 * std::f64::consts::TAU)
            .map(|turn| [turn.cos(), turn.sin()])
            .collect();
        assert!(read(&corners).is_ok());
        corners.swap(70, 71);
        let error = read(&corners).unwrap_err().message;
        assert!(error.contains("Edges 69 and 71 cross."), "{error}");
    }

    fn read(corners: &[[f64; 2]]) -> Result<Loop, QueryError> {
        let points = corners.iter().chain(corners.first()).map(|corner| on_sphere(*corner).unwrap()).collect();
        closed_loop(Ring { points, source: ValueRef::from(&Bson::Null) })
    }
}
