//! Laws of places, tried on shapes of every kind: on a coarse grid, where much coincides, and anywhere.
#![allow(clippy::unwrap_used, clippy::panic)]

use document::{Bson, Document};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{CellKeys, EARTH_RADIUS_METRES, Near};
use crate::Filter;

proptest! {
    #[test]
    fn an_index_has_every_match(geometry in geometry(), region in region()) {
        let (Ok(filter), Ok(keys)) = (Filter::parse(&at_place(region)), keys(&geometry)) else { return Ok(()) };
        if filter.matches((&at_place(geometry)).into()).unwrap() {
            let covering = filter.geo_covering("place").unwrap();
            prop_assert!(keys.iter().any(|key| covering.contains(*key)));
        }
    }

    #[test]
    fn rings_find_what_sorting_all_finds(
        geometries in vec(geometry(), 1..8),
        centre in position(),
        (least, largest) in (select(vec![0.0, 1.0, 5e3, 1e6]), select(vec![0.0, 9e3, 2e6, 1.2e7, f64::MAX])),
    ) {
        let near = Near::stage("place", (&point(centre)).into(), Some(least), Some(largest)).unwrap();
        let indexed = |geometry: &Bson| keys(geometry).ok().map(|keys| (keys, distance(&near, geometry)));
        let index: Vec<(Vec<u64>, f64)> = geometries.iter().filter_map(indexed).collect();
        let mut expected: Vec<f64> = index.iter().map(|(_, distance)| *distance).filter(|far| near.accepts(*far)).collect();
        expected.sort_by(f64::total_cmp);
        prop_assert_eq!(by_rings(&near, &index), expected);
    }

    #[test]
    fn rings_follow_each_other(centre in position(), least in 0.0..3e7f64, width in 0.0..3e7f64) {
        let near = Near::stage("place", (&point(centre)).into(), Some(least), Some(least + width)).unwrap();
        let rings: Vec<_> = near.rings().collect();
        prop_assert!(rings.windows(2).all(|pair| pair[0].outer == pair[1].inner));
        prop_assert!(rings.len() < 40);
    }

    #[test]
    fn meeting_goes_both_ways(left in geometry(), right in geometry()) {
        prop_assert_eq!(meets(&left, &right), meets(&right, &left));
    }

    #[test]
    fn what_is_within_meets(inner in geometry(), outer in polygon()) {
        if keys(&outer).is_ok() && matches("$geoWithin", &inner, &outer) == Some(true) {
            prop_assert_eq!(meets(&inner, &outer), Some(true));
        }
    }

    #[test]
    fn what_is_in_a_polygon_is_at_no_distance(place in position(), outer in polygon()) {
        if matches("$geoWithin", &point(place), &outer) == Some(true) {
            let near = Near::stage("place", (&point(place)).into(), None, None).unwrap();
            prop_assert!(near.distance((&at_place(outer)).into()).unwrap() < 0.05);
        }
    }

    #[test]
    fn every_valid_geometry_meets_itself(geometry in geometry()) {
        if keys(&geometry).is_ok() {
            prop_assert_eq!(meets(&geometry, &geometry), Some(true));
        }
    }

    #[test]
    fn distance_is_along_the_great_circle(from in position(), to in position()) {
        let near = Near::stage("place", (&point(from)).into(), None, None).unwrap();
        let distance = near.distance((&at_place(point(to))).into()).unwrap();
        let expected = great_circle(from, to);
        prop_assert!((distance - expected).abs() < 0.1, "{distance} {expected}");
    }

    #[test]
    fn a_cap_holds_what_is_as_near_as_its_radius(centre in position(), place in position(), radius in 0.0..3.2f64) {
        let near = Near::stage("place", (&point(centre)).into(), None, None).unwrap();
        let distance = near.distance((&at_place(point(place))).into()).unwrap() / EARTH_RADIUS_METRES;
        let filter = Filter::parse(&at_place(cap(centre, radius))).unwrap();
        if (distance - radius).abs() > 1e-8 {
            prop_assert_eq!(filter.matches((&at_place(point(place))).into()).unwrap(), distance < radius);
        }
    }

    #[test]
    fn a_regular_polygon_lies_between_two_circles(
        centre in (-180.0..180.0f64, -80.0..80.0f64),
        (radius, corners) in (1e-4..1.2f64, select(vec![3, 5, 40, 200])),
        (bearing, distance) in (0.0..std::f64::consts::TAU, 0.0..1.5f64),
    ) {
        let centre = [centre.0, centre.1];
        let step = std::f64::consts::TAU / f64::from(corners);
        let ring = (0..=corners).map(|corner| away(centre, f64::from(corner % corners) * step, radius)).collect();
        let polygon = geojson("Polygon", vec![positions(ring)]);
        let inner = (radius.tan() * (step / 2.0).cos()).atan();
        let place = away(centre, bearing, radius * distance);
        let expected = if distance < inner / radius * 0.999 { true } else if distance > 1.001 { false } else { return Ok(()) };
        prop_assert_eq!(matches("$geoWithin", &point(place), &polygon), Some(expected));
        prop_assert_eq!(matches("$geoIntersects", &polygon, &point(place)), Some(expected));
    }

    #[test]
    fn nothing_makes_geometry_fail(value in nonsense(), geometry in geometry()) {
        let _ = keys(&value);
        let _ = Filter::parse(&at_place(one("$nearSphere", value.clone())));
        let _ = matches("$geoWithin", &geometry, &value);
        let _ = meets(&value, &geometry);
    }
}

/// The distances of what is near, as an index finds it ring by ring: what lies beyond a ring waits for the next.
fn by_rings(near: &Near, index: &[(Vec<u64>, f64)]) -> Vec<f64> {
    let (mut waiting, mut found): (Vec<usize>, Vec<f64>) = (Vec::new(), Vec::new());
    let mut seen = vec![false; index.len()];
    for ring in near.rings() {
        for (number, (keys, _)) in index.iter().enumerate() {
            if keys.iter().any(|key| ring.covering.contains(*key)) && !std::mem::replace(&mut seen[number], true) {
                waiting.push(number);
            }
        }
        let (mut due, later): (Vec<usize>, Vec<usize>) =
            waiting.into_iter().partition(|number| index[*number].1 <= ring.outer);
        due.sort_by(|left, right| index[*left].1.total_cmp(&index[*right].1));
        found.extend(due.into_iter().map(|number| index[number].1).filter(|distance| near.accepts(*distance)));
        waiting = later;
    }
    found
}

/// Longitude and latitude in degrees: from a grid, near a corner of it, or anywhere.
fn position() -> impl Strategy<Value = [f64; 2]> {
    let grid = (-18..=18i32, -9..=9i32).prop_map(|(x, y)| [f64::from(x) * 10.0, f64::from(y) * 10.0]);
    let small = (0..=4i32, 0..=4i32).prop_map(|(x, y)| [f64::from(x) * 0.01, f64::from(y) * 0.01]);
    prop_oneof![grid, small, (-180.0..=180.0f64, -90.0..=90.0f64).prop_map(|(x, y)| [x, y])]
}

/// Around a centre, at growing angles: a ring that does not cross itself, mostly.
fn ring() -> impl Strategy<Value = Vec<[f64; 2]>> {
    let star = (
        position(),
        select(vec![1e-6, 0.001, 0.1, 5.0, 40.0]),
        prop_oneof![4 => vec(0.2..1.0f64, 3..9), 1 => vec(0.7..1.0f64, 30..60)],
    )
        .prop_map(|([x, y], size, radii)| {
            let step = std::f64::consts::TAU / radii.len() as f64;
            let corner = |(index, radius): (usize, &f64)| {
                let (sine, cosine) = (index as f64 * step).sin_cos();
                [(x + size * radius * cosine).clamp(-180.0, 180.0), (y + size * radius * sine).clamp(-90.0, 90.0)]
            };
            radii.iter().enumerate().map(corner).collect()
        });
    let square = (-18..18i32, -9..9i32, 1..5i32, 1..5i32).prop_map(|(x, y, width, height)| {
        let (left, low) = (f64::from(x) * 10.0, f64::from(y) * 10.0);
        let (right, high) = ((left + f64::from(width) * 10.0).min(180.0), (low + f64::from(height) * 10.0).min(90.0));
        vec![[left, low], [right, low], [right, high], [left, high]]
    });
    prop_oneof![3 => star, 2 => square, 1 => vec(position(), 3..6)].prop_map(|mut ring: Vec<[f64; 2]>| {
        ring.push(ring[0]);
        ring
    })
}

fn polygon() -> impl Strategy<Value = Bson> {
    (ring(), prop_oneof![3 => Just(None), 1 => ring().prop_map(Some)]).prop_map(|(shell, hole)| {
        geojson("Polygon", std::iter::once(shell).chain(hole).map(positions).collect::<Vec<_>>())
    })
}

fn line() -> impl Strategy<Value = Bson> {
    prop_oneof![vec(position(), 2..5), ring()].prop_map(|line| geojson("LineString", positions(line)))
}

fn simple() -> impl Strategy<Value = Bson> {
    prop_oneof![position().prop_map(point), position().prop_map(|place| pair(&place)), line(), polygon()]
}

fn geometry() -> impl Strategy<Value = Bson> {
    let coordinates = |shape: Bson| shape.as_document().unwrap().get("coordinates").unwrap().clone();
    let members = vec(prop_oneof![position().prop_map(point), line(), polygon()], 1..4);
    prop_oneof![
        6 => simple(),
        1 => vec(position(), 1..4).prop_map(|points| geojson("MultiPoint", positions(points))),
        1 => vec(line().prop_map(coordinates), 1..3).prop_map(|lines| geojson("MultiLineString", lines)),
        1 => vec(polygon().prop_map(coordinates), 1..3).prop_map(|polygons| geojson("MultiPolygon", polygons)),
        1 => members.prop_map(|members| {
            let mut collection = one("type", "GeometryCollection");
            collection.as_document_mut().unwrap().insert("geometries", members);
            collection
        }),
    ]
}

fn region() -> impl Strategy<Value = Bson> {
    prop_oneof![
        geometry().prop_map(|shape| one("$geoIntersects", one("$geometry", shape))),
        polygon().prop_map(|shape| one("$geoWithin", one("$geometry", shape))),
        (position(), select(vec![0.0, 1e-9, 1e-6, 1e-3, 0.1, 2.0, 9.0]))
            .prop_map(|(centre, radius)| cap(centre, radius)),
    ]
}

/// Values that are almost geometries.
fn nonsense() -> impl Strategy<Value = Bson> {
    let number =
        select(vec![0.0, -0.0, 1e-300, 90.0, -90.0, 180.0, -180.0, 1e308, f64::NAN, f64::INFINITY, 1.0, 1.0 + 1e-15]);
    let leaf = prop_oneof![4 => number.prop_map(Bson::Double), 1 => Just(Bson::Null)];
    let nested = leaf.prop_recursive(4, 40, 5, |inner| vec(inner, 0..6).prop_map(Bson::Array));
    let kinds =
        vec!["Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection"];
    (select(kinds), nested).prop_map(|(kind, coordinates)| geojson(kind, coordinates))
}

fn keys(geometry: &Bson) -> Result<Vec<u64>, crate::QueryError> {
    CellKeys::new("place").of((&at_place(geometry.clone())).into())
}

fn distance(near: &Near, geometry: &Bson) -> f64 {
    near.distance((&at_place(geometry.clone())).into()).unwrap()
}

fn meets(left: &Bson, right: &Bson) -> Option<bool> {
    matches("$geoIntersects", left, right).filter(|_| keys(left).is_ok())
}

/// Whether `stored` matches; `None` where `queried` is refused.
fn matches(operator: &str, stored: &Bson, queried: &Bson) -> Option<bool> {
    let filter = Filter::parse(&at_place(one(operator, one("$geometry", queried.clone())))).ok()?;
    Some(filter.matches((&at_place(stored.clone())).into()).unwrap())
}

fn cap(centre: [f64; 2], radius: f64) -> Bson {
    one("$geoWithin", one("$centerSphere", vec![pair(&centre), Bson::Double(radius)]))
}

fn point(position: [f64; 2]) -> Bson {
    geojson("Point", pair(&position))
}

fn positions(positions: Vec<[f64; 2]>) -> Bson {
    Bson::Array(positions.iter().map(pair).collect())
}

fn pair(position: &[f64; 2]) -> Bson {
    Bson::Array(position.iter().copied().map(Bson::Double).collect())
}

fn geojson(kind: &str, coordinates: impl Into<Bson>) -> Bson {
    let mut document = Document::new();
    document.insert("type", kind);
    document.insert("coordinates", coordinates.into());
    document.into()
}

fn at_place(value: Bson) -> Document {
    Document::from_iter([("place".to_owned(), value)])
}

fn one(name: &str, value: impl Into<Bson>) -> Bson {
    Document::from_iter([(name.to_owned(), value.into())]).into()
}

/// The place at an angle from another, both in radians.
fn away([longitude, latitude]: [f64; 2], bearing: f64, angle: f64) -> [f64; 2] {
    let latitude = latitude.to_radians();
    let sine = latitude.sin() * angle.cos() + latitude.cos() * angle.sin() * bearing.cos();
    let turn = (bearing.sin() * angle.sin() * latitude.cos()).atan2(angle.cos() - latitude.sin() * sine);
    [(longitude + turn.to_degrees() + 540.0).rem_euclid(360.0) - 180.0, sine.asin().to_degrees()]
}

/// By Vincenty's formula for the sphere, as exact for places that face each other as for neighbours; the haversine is off
/// by decimetres there.
fn great_circle([x1, y1]: [f64; 2], [x2, y2]: [f64; 2]) -> f64 {
    let ((sin1, cos1), (sin2, cos2)) = (y1.to_radians().sin_cos(), y2.to_radians().sin_cos());
    let (sin, cos) = (x2 - x1).to_radians().sin_cos();
    let across = (cos2 * sin).hypot(cos1 * sin2 - sin1 * cos2 * cos);
    EARTH_RADIUS_METRES * across.atan2(sin1 * sin2 + cos1 * cos2 * cos)
}
