//! `$near` and `$nearSphere`: how far documents are from a point, and so in which order they come (semantics DB-2.44, DB-2.45).

use document::{Bson, Document, DocumentRef, ValueRef, to_shell_text};
use s2rst::s2::Point;

use super::EARTH_RADIUS_METRES;
use super::cells::{self, Ring};
use super::geojson::{GeoPoint, Geometry};
use crate::QueryError;
use crate::filter::{Arrays, WalkPath, walk};

/// Documents near a point. Every distance here is in the query's unit: metres from a GeoJSON point, radians from a pair of
/// numbers.
#[derive(Debug, Clone)]
pub struct Near {
    path: WalkPath,
    centre: Point,
    /// How many of the unit make a radian.
    units_per_radian: f64,
    minimum: f64,
    maximum: f64,
}

/// The geometry of a document that is nearest to the point.
#[derive(Debug, Clone, Copy)]
pub struct Nearest<'a> {
    /// How far it is, in the query's unit.
    pub distance: f64,
    /// It, as the document has it: what `includeLocs` shows.
    pub location: ValueRef<'a>,
}

/// A near query while it is read.
#[derive(Default)]
struct Clauses {
    point: Option<GeoPoint>,
    minimum: Option<f64>,
    maximum: Option<f64>,
    is_sphere: bool,
}

impl Near {
    /// The near of a `$geoNear` stage: `near` is a GeoJSON point or a pair of numbers, the bounds are in its unit.
    pub fn stage(
        path: &str,
        near: ValueRef<'_>,
        minimum: Option<f64>,
        maximum: Option<f64>,
    ) -> Result<Near, QueryError> {
        let point = GeoPoint::parse(near)?;
        Near::new(path, Clauses { point: Some(point), minimum, maximum, is_sphere: true })
    }

    /// Reads the operators of a field that begin with `$near`, `$nearSphere` or `$geoNear`.
    pub(crate) fn parse(path: &str, operators: &Document) -> Result<Near, QueryError> {
        let clauses = parse_pair_form(operators)?;
        match clauses.point {
            Some(_) => Near::new(path, clauses),
            None => Near::new(path, parse_geometry_form(operators)?),
        }
    }

    fn new(path: &str, clauses: Clauses) -> Result<Near, QueryError> {
        let point = clauses.point.ok_or_else(|| bad("$geometry is required for geo near query"))?;
        if !point.is_geojson && !clauses.is_sphere {
            return Err(bad(
                "error processing query: planner returned error: unable to find index for $geoNear query \
                 ($near with a pair of numbers needs a 2d index, which the cloud does not have: use db.Geo.Point)",
            ));
        }
        let on_sphere = point.on_sphere();
        let centre = on_sphere.ok_or_else(|| bad("Legacy point is out of bounds for spherical query"))?;
        Ok(Near {
            path: WalkPath::parse(path),
            centre,
            units_per_radian: if point.is_geojson { EARTH_RADIUS_METRES } else { 1.0 },
            minimum: clauses.minimum.unwrap_or(0.0),
            maximum: clauses.maximum.unwrap_or(f64::MAX),
        })
    }

    /// The path of the geometries; an index must be on it.
    pub fn path(&self) -> &str {
        self.path.as_str()
    }

    /// How far `document` is: the smallest distance of the geometries at the path, whatever the bounds. `None` where there is
    /// none.
    pub fn distance(&self, document: DocumentRef<'_>) -> Option<f64> {
        self.nearest(document).map(|nearest| nearest.distance)
    }

    /// The nearest geometry at the path, whatever the bounds.
    pub fn nearest<'a>(&self, document: DocumentRef<'a>) -> Option<Nearest<'a>> {
        let mut nearest: Option<Nearest<'a>> = None;
        let mut consider = |location: ValueRef<'a>| {
            let distance = self.distance_of(location);
            if let Some(distance) = distance
                && nearest.is_none_or(|nearest| distance < nearest.distance)
            {
                nearest = Some(Nearest { distance, location });
            }
            distance.is_some()
        };
        // Nothing in here fails.
        let _ = walk(document.into(), self.path.segments(), Arrays::Whole, &mut |value, _| {
            let is_geometry = value.is_some_and(&mut consider);
            if let Some(ValueRef::Array(array)) = value.filter(|_| !is_geometry) {
                array.iter().for_each(|element| _ = consider(element));
            }
            Ok(false)
        });
        nearest
    }

    /// Whether a document that far is near enough, and far enough.
    pub fn accepts(&self, distance: f64) -> bool {
        (self.minimum..=self.maximum).contains(&distance)
    }

    /// Rings around the point, nearest first, that together hold every document within the bounds.
    pub fn rings(&self) -> impl Iterator<Item = Ring> {
        let unit = self.units_per_radian;
        let scale = move |ring: Ring| Ring { inner: ring.inner * unit, outer: ring.outer * unit, ..ring };
        cells::rings(self.centre, self.minimum / unit, self.maximum / unit).map(scale)
    }

    pub(crate) fn matches(&self, document: DocumentRef<'_>) -> bool {
        self.distance(document).is_some_and(|distance| self.accepts(distance))
    }

    fn distance_of(&self, location: ValueRef<'_>) -> Option<f64> {
        if location.as_document().is_none() && location.as_array().is_none() {
            return None;
        }
        let geometry = Geometry::parse_stored(location).ok()?;
        let radians = geometry.parts().iter().map(|part| part.distance(self.centre).radians());
        radians.min_by(f64::total_cmp).map(|radians| radians * self.units_per_radian)
    }
}

/// `{$nearSphere: [1, 2], $maxDistance: 3}`; also with a GeoJSON point in place of the pair. No point where it is neither.
fn parse_pair_form(operators: &Document) -> Result<Clauses, QueryError> {
    let mut clauses = Clauses::default();
    for (name, value) in operators {
        match name.as_str() {
            "$near" | "$nearSphere" | "$geoNear" => {
                clauses.is_sphere = name == "$nearSphere";
                (clauses.point, clauses.maximum) = parse_pair(value, clauses.maximum)?;
            }
            "$minDistance" | "$maxDistance" => clauses.read_bound(name, value)?,
            "$uniqueDocs" => {}
            _ => return Err(unknown(name)),
        }
    }
    Ok(clauses)
}

/// A point, or a longitude, a latitude and the largest distance.
fn parse_pair(value: &Bson, maximum: Option<f64>) -> Result<(Option<GeoPoint>, Option<f64>), QueryError> {
    if let Ok(point) = GeoPoint::parse(value.into()) {
        return Ok((Some(point), maximum));
    }
    let values = super::geojson::values(value.into()).unwrap_or_default();
    let numbers: Option<Vec<f64>> =
        values.iter().map(|value| value.as_number().map(|number| number.as_f64())).collect();
    match numbers.as_deref() {
        Some([_, _, distance]) if distance.is_nan() || *distance < 0.0 => Err(bad("max distance must be non-negative")),
        Some([longitude, latitude, distance]) => {
            let coordinates = [*longitude, *latitude];
            Ok((Some(GeoPoint { coordinates, is_geojson: false }), Some(*distance)))
        }
        _ => Ok((None, maximum)),
    }
}

/// `{$nearSphere: {$geometry: …, $minDistance: 1, $maxDistance: 3}}`.
fn parse_geometry_form(operators: &Document) -> Result<Clauses, QueryError> {
    let mut fields = operators.iter();
    let Some((_, Bson::Document(argument))) = fields.next() else {
        return Err(bad("geo near query argument is not an object"));
    };
    if let Some((name, value)) = fields.next() {
        return Err(bad(format!(
            "geo near accepts just one argument when querying for a GeoJSON point. Extra field found: {name}: {}",
            to_shell_text(value.into())
        )));
    }
    let mut clauses = Clauses { is_sphere: true, ..Clauses::default() };
    for (name, value) in argument {
        match name.as_str() {
            "$geometry" => clauses.point = parse_geometry(value)?,
            "$minDistance" | "$maxDistance" => clauses.read_bound(name, value)?,
            _ => return Err(unknown(name)),
        }
    }
    Ok(clauses)
}

fn parse_geometry(value: &Bson) -> Result<Option<GeoPoint>, QueryError> {
    if !matches!(value, Bson::Document(_) | Bson::Array(_)) {
        return Ok(None);
    }
    let text = || to_shell_text(value.into());
    match GeoPoint::parse(value.into()) {
        Ok(point) if point.is_geojson => Ok(Some(point)),
        Ok(_) => Err(bad(format!("$near requires geojson point, given {}", text()))),
        Err(error) => {
            Err(bad(format!("invalid point in geo near query $geometry argument: {}  {}", text(), error.message)))
        }
    }
}

impl Clauses {
    fn read_bound(&mut self, name: &str, value: &Bson) -> Result<(), QueryError> {
        let number = ValueRef::from(value).as_number().map(|number| number.as_f64());
        let bound = number.ok_or_else(|| bad(format!("{name} must be a number")))?;
        if bound.is_nan() || bound < 0.0 {
            return Err(bad(format!("{name} must be non-negative")));
        }
        match name {
            "$minDistance" => self.minimum = Some(bound),
            _ => self.maximum = Some(bound),
        }
        Ok(())
    }
}

fn unknown(name: &str) -> QueryError {
    bad(format!("invalid argument in geo near query: {name}"))
}

fn bad(message: impl Into<String>) -> QueryError {
    QueryError::bad_query(message)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use document::{DateTime, decode_text};

    use super::*;

    #[test]
    fn distances_are_in_the_unit_of_the_query() {
        let quarter = std::f64::consts::FRAC_PI_2;
        check(
            r#"{"$nearSphere": {"$geometry": {"type": "Point", "coordinates": [0, 0]}}}"#,
            quarter * EARTH_RADIUS_METRES,
        );
        check(r#"{"$nearSphere": [0, 0], "$maxDistance": 2}"#, quarter);
    }

    #[test]
    fn the_nearest_location_is_told() {
        let near = parse(r#"{"$nearSphere": {"$geometry": {"type": "Point", "coordinates": [0, 0]}}}"#);
        let document = decode_text(r#"{"a": [[50, 0], {"lng": 1, "lat": 1}, "x"]}"#, DateTime::from_millis(0)).unwrap();
        let nearest = near.nearest((&document).into()).unwrap();
        assert_eq!(to_shell_text(nearest.location), "{ lng: 1, lat: 1 }");
        assert_eq!(near.path(), "a");
        let nothing = decode_text(r#"{"a": ["x"]}"#, DateTime::from_millis(0)).unwrap();
        assert_eq!(near.distance((&nothing).into()), None);
    }

    #[test]
    fn the_documented_distances() {
        let from = [113.3089506, 23.0968251];
        for (to, metres) in [
            ([113.30593, 23.1361155], 4384.68131486958),
            ([113.306789, 23.1564721], 6643.521654040738),
            ([116.3949659, 39.9163447], 1894750.4414538583),
            ([116.2328567, 40.242373], 1928300.3308822548),
        ] {
            let point = |place: [f64; 2]| bson(&format!(r#"{{"type": "Point", "coordinates": {place:?}}}"#));
            let near = Near::stage("a", (&point(from)).into(), None, None).unwrap();
            let distance = near.distance((&Document::from_iter([("a".to_owned(), point(to).into())])).into()).unwrap();
            assert!((distance / metres - 1.0).abs() < 1e-11, "{distance} {metres}");
        }
    }

    fn check(operators: &str, expected: f64) {
        let document = decode_text(r#"{"a": [90, 0]}"#, DateTime::from_millis(0)).unwrap();
        let distance = parse(operators).distance((&document).into()).unwrap();
        assert!((distance / expected - 1.0).abs() < 1e-12, "{distance} {expected}");
    }

    fn parse(operators: &str) -> Near {
        Near::parse("a", &bson(operators)).unwrap()
    }

    fn bson(text: &str) -> Document {
        decode_text(text, DateTime::from_millis(0)).unwrap()
    }
}
