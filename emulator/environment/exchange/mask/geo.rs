//! Masks of places: the whole geometry is turned about the middle of the earth, so that it keeps its shape and stays valid.

use super::Hashes;
use document::{Bson, Document, ValueRef};
use std::f64::consts::TAU;

const TYPES: &[&str] =
    &["GeometryCollection", "LineString", "MultiLineString", "MultiPoint", "MultiPolygon", "Point", "Polygon"];
/// A tenth of a metre.
const STEPS_PER_DEGREE: f64 = 1e6;

/// Whether it is GeoJSON, which may hold other fields besides. There is nothing but numbers among its coordinates.
pub(super) fn is_geometry(document: &Document) -> bool {
    let is_type = document.get_str("type").is_ok_and(|name| TYPES.binary_search(&name).is_ok());
    let (coordinates, geometries) = (document.get("coordinates"), document.get("geometries"));
    is_type
        && (coordinates.is_some() || geometries.is_some())
        && coordinates.is_none_or(are_places)
        && geometries.is_none_or(are_geometries)
}

/// Whether it is a point, or an array of such to any depth.
fn are_places(coordinates: &Bson) -> bool {
    let is_number = |value: &Bson| ValueRef::from(value).as_number().is_some();
    match coordinates.as_array().map(Vec::as_slice) {
        Some(point @ [first, _, ..]) if is_number(first) => point.iter().all(is_number),
        Some(inner) => inner.iter().all(are_places),
        None => false,
    }
}

fn are_geometries(geometries: &Bson) -> bool {
    let is_inner = |value: &Bson| value.as_document().is_some_and(is_geometry);
    geometries.as_array().is_some_and(|geometries| geometries.iter().all(is_inner))
}

/// Turns all its points alike.
pub(super) fn turn(hashes: &Hashes, geometry: &mut Document) {
    let hash = hashes.of_value("place", ValueRef::Document((&*geometry).into()));
    let angle = |index: usize| {
        let bytes = hash.get(index * 4..).and_then(|rest| rest.first_chunk()).unwrap_or(&[0; 4]);
        f64::from(u32::from_be_bytes(*bytes)) / f64::from(u32::MAX) * TAU
    };
    turn_geometry(geometry, [angle(0), angle(1), angle(2)]);
}

fn turn_geometry(geometry: &mut Document, angles: [f64; 3]) {
    if let Ok(coordinates) = geometry.get_array_mut("coordinates") {
        turn_coordinates(coordinates, angles);
    }
    if let Ok(geometries) = geometry.get_array_mut("geometries") {
        geometries.iter_mut().filter_map(Bson::as_document_mut).for_each(|inner| turn_geometry(inner, angles));
    }
}

fn turn_coordinates(coordinates: &mut [Bson], angles: [f64; 3]) {
    let degrees = |value: &Bson| ValueRef::from(value).as_number().map(|number| number.as_f64());
    match coordinates {
        [longitude, latitude, ..] => match (degrees(longitude), degrees(latitude)) {
            (Some(east), Some(north)) => {
                let (east, north) = turned(east, north, angles);
                (*longitude, *latitude) = (Bson::Double(east), Bson::Double(north));
            }
            (_, _) => turn_inner(coordinates, angles),
        },
        _ => turn_inner(coordinates, angles),
    }
}

fn turn_inner(coordinates: &mut [Bson], angles: [f64; 3]) {
    coordinates.iter_mut().filter_map(Bson::as_array_mut).for_each(|inner| turn_coordinates(inner, angles));
}

/// Turns a point about the poles' axis, an axis through the equator, and the poles' again.
fn turned(east: f64, north: f64, [first, second, third]: [f64; 3]) -> (f64, f64) {
    let (longitude, latitude) = (east.to_radians() + first, north.to_radians());
    let (x, y, z) = (latitude.cos() * longitude.cos(), latitude.cos() * longitude.sin(), latitude.sin());
    let (y, z) = (y * second.cos() - z * second.sin(), y * second.sin() + z * second.cos());
    let longitude = (y.atan2(x) + third + TAU) % TAU;
    let east = (longitude.to_degrees() + 180.0) % 360.0 - 180.0;
    let north = z.clamp(-1.0, 1.0).asin().to_degrees();
    (rounded(east), rounded(north))
}

fn rounded(degrees: f64) -> f64 {
    (degrees * STEPS_PER_DEGREE).round() / STEPS_PER_DEGREE
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::tests::hashes;
    use super::*;
    use document::DateTime;
    use proptest::prelude::*;

    #[test]
    fn a_ring_stays_closed() {
        let text = r#"{"type":"Polygon","coordinates":[[[113.1,23.1],[113.2,23.1],[113.2,23.2],[113.1,23.1]]]}"#;
        let mut polygon = document::decode_text(text, DateTime::MIN).unwrap();
        assert!(is_geometry(&polygon));
        let before = polygon.clone();
        turn(&hashes(), &mut polygon);
        assert_ne!(polygon, before);
        let ring = polygon.get_array("coordinates").unwrap()[0].as_array().unwrap();
        assert_eq!(ring.first(), ring.last());
    }

    #[test]
    fn coordinates_are_numbers() {
        let check = |text: &str, expected: bool| {
            let document = document::decode_text(text, DateTime::MIN).unwrap();
            assert_eq!(is_geometry(&document), expected, "{text}");
        };
        check(r#"{"type": "Point", "coordinates": [113.1, 23, 5], "name": "x"}"#, true);
        check(r#"{"type": "LineString", "coordinates": []}"#, true);
        check(r#"{"type": "Point", "coordinates": [113.1]}"#, false);
        check(r#"{"type": "Point", "coordinates": [113.1, "x"]}"#, false);
        check(r#"{"type": "Point", "coordinates": "x"}"#, false);
        check(r#"{"type": "LineString", "coordinates": [[113.1, 23.1], "x"]}"#, false);
        check(r#"{"type": "Point", "coordinates": [113.1, 23.1], "geometries": "x"}"#, false);
        check(r#"{"type": "GeometryCollection", "geometries": [{"type": "x", "coordinates": []}]}"#, false);
        check(r#"{"type": "Point"}"#, false);
    }

    proptest! {
        #[test]
        fn distances_stay(a in (-180.0..180.0, -90.0..90.0), b in (-180.0..180.0, -90.0..90.0), angles in prop::array::uniform3(0.0..TAU)) {
            let turn = |(east, north): (f64, f64)| turned(east, north, angles);
            let (x, y) = (turn(a), turn(b));
            prop_assert!((-180.0..=180.0).contains(&x.0) && (-90.0..=90.0).contains(&x.1));
            prop_assert!((cosine(a, b) - cosine(x, y)).abs() < 1e-6);
        }
    }

    fn cosine(a: (f64, f64), b: (f64, f64)) -> f64 {
        let (a, b) = ((a.0.to_radians(), a.1.to_radians()), (b.0.to_radians(), b.1.to_radians()));
        a.1.sin() * b.1.sin() + a.1.cos() * b.1.cos() * (a.0 - b.0).cos()
    }
}
