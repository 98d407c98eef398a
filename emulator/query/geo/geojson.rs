//! Geometries as documents and queries spell them: GeoJSON, and MongoDB's older pairs of numbers. Every complaint is MongoDB's.

use document::{DocumentRef, ValueRef, to_shell_text};
use s2rst::s2::polyline::Polyline;
use s2rst::s2::{LatLng, Point, Polygon};

use super::parts::Part;
use super::ring::{self, Ring};
use crate::QueryError;

/// What a value says about places.
#[derive(Debug)]
pub(crate) struct Geometry {
    /// Where the geometry is a single point: its coordinates as they were written, for the plane.
    flat: Option<[f64; 2]>,
    /// Empty where a point of the plane is none of the sphere.
    parts: Vec<Part>,
}

/// A point of a query, and how it was written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GeoPoint {
    pub(super) coordinates: [f64; 2],
    /// Whether it was GeoJSON, so that distances from it are in metres.
    pub(super) is_geojson: bool,
}

/// Which points a value may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extra {
    /// Two numbers.
    Refused,
    /// Two numbers and more, as in `[longitude, latitude, altitude]`.
    Ignored,
}

/// What `crs` says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Winding {
    /// A ring's inside is the smaller side.
    Any,
    /// A ring's inside is to its left.
    Strict,
}

const CRS_STRICT_WINDING: &str = "urn:x-mongodb:crs:strictwinding:EPSG:4326";
const CRS_SPHERE: &[&str] = &["EPSG:4326", "urn:ogc:def:crs:OGC:1.3:CRS84"];

impl Geometry {
    /// Reads a stored value: an array or object of numbers is a point of the plane, all else GeoJSON.
    pub(crate) fn parse_stored(value: ValueRef<'_>) -> Result<Geometry, QueryError> {
        match value {
            ValueRef::Array(_) => parse_flat(value, Extra::Ignored).map(Geometry::flat),
            ValueRef::Document(document) if begins_with_number(document) => {
                parse_flat(value, Extra::Ignored).map(Geometry::flat)
            }
            ValueRef::Document(document) if has_strict_winding(document) => {
                Err(bad("can't index geometry with strict winding order"))
            }
            ValueRef::Document(document) => Geometry::parse_geojson(document),
            _ => Err(bad(format!("geo element must be an array or object: {}", to_shell_text(value)))),
        }
    }

    /// Reads the `$geometry` of a query.
    pub(crate) fn parse_query(value: ValueRef<'_>) -> Result<Geometry, QueryError> {
        match value {
            ValueRef::Document(document) if !begins_with_number(document) => Geometry::parse_geojson(document),
            _ => parse_flat(value, Extra::Refused).map(Geometry::flat),
        }
    }

    /// The coordinates as written, where this is a single point.
    pub(super) fn as_flat(&self) -> Option<[f64; 2]> {
        self.flat
    }

    /// The parts on the sphere; none where the geometry is a point of the plane beyond it.
    pub(super) fn parts(&self) -> &[Part] {
        &self.parts
    }

    fn flat(coordinates: [f64; 2]) -> Geometry {
        Geometry { flat: Some(coordinates), parts: on_sphere(coordinates).map(Part::Point).into_iter().collect() }
    }

    fn of_parts(parts: Vec<Part>) -> Geometry {
        Geometry { flat: None, parts }
    }

    fn parse_geojson(document: DocumentRef<'_>) -> Result<Geometry, QueryError> {
        let coordinates = document.get("coordinates");
        let sphere = || parse_crs(document, Winding::Any);
        match document.get("type").and_then(ValueRef::as_str) {
            Some("Point") => sphere().and_then(|_| parse_point(coordinates)),
            Some("LineString") => {
                sphere().and_then(|_| parse_line(coordinates)).map(|line| Geometry::of_parts(vec![line]))
            }
            Some("Polygon") => parse_polygon(document).map(|polygon| Geometry::of_parts(vec![polygon])),
            Some("MultiPoint") => sphere().and_then(|_| parse_points(coordinates)).map(Geometry::of_parts),
            Some("MultiLineString") => {
                sphere().and_then(|_| parse_many("MultiLineString", coordinates, parse_line)).map(Geometry::of_parts)
            }
            Some("MultiPolygon") => {
                sphere().and_then(|_| parse_many("MultiPolygon", coordinates, parse_rings)).map(Geometry::of_parts)
            }
            Some("GeometryCollection") => parse_collection(document).map(Geometry::of_parts),
            _ => Err(bad(format!("unknown GeoJSON type: {}", to_shell_text(document.into())))),
        }
    }
}

impl GeoPoint {
    /// Reads the point of a near query.
    pub(crate) fn parse(value: ValueRef<'_>) -> Result<GeoPoint, QueryError> {
        match value {
            ValueRef::Document(document) if !begins_with_number(document) => {
                parse_crs(document, Winding::Any)?;
                let coordinates = parse_flat_field(document.get("coordinates"))?;
                match on_sphere(coordinates) {
                    Some(_) => Ok(GeoPoint { coordinates, is_geojson: true }),
                    None => Err(out_of_bounds(coordinates)),
                }
            }
            _ => Ok(GeoPoint { coordinates: parse_flat(value, Extra::Refused)?, is_geojson: false }),
        }
    }

    /// Where it is on the sphere, if it is.
    pub(super) fn on_sphere(self) -> Option<Point> {
        on_sphere(self.coordinates)
    }
}

/// The point of the sphere with this longitude and latitude, in degrees.
pub(super) fn on_sphere([longitude, latitude]: [f64; 2]) -> Option<Point> {
    let exists = longitude.abs() <= 180.0 && latitude.abs() <= 90.0;
    exists.then(|| LatLng::from_degrees(latitude, longitude).normalized().to_point())
}

/// The complaint about a longitude and latitude that are none.
pub(super) fn out_of_bounds([longitude, latitude]: [f64; 2]) -> QueryError {
    bad(format!("longitude/latitude is out of bounds, lng: {longitude} lat: {latitude}"))
}

/// Two numbers in an array or an object, and nothing else.
pub(super) fn parse_pair(value: Option<ValueRef<'_>>) -> Result<[f64; 2], QueryError> {
    parse_flat(value.unwrap_or(ValueRef::Null), Extra::Refused)
}

/// The values of an array, or those of an object's fields: MongoDB takes one for the other.
pub(super) fn values<'a>(value: ValueRef<'a>) -> Option<Vec<ValueRef<'a>>> {
    match value {
        ValueRef::Array(array) => Some(array.iter().collect()),
        ValueRef::Document(document) => Some(document.iter().map(|(_, value)| value).collect()),
        _ => None,
    }
}

fn parse_flat(value: ValueRef<'_>, extra: Extra) -> Result<[f64; 2], QueryError> {
    let Some(values) = values(value) else { return Err(bad("Point must be an array or object")) };
    let number = |index: usize| {
        let number = values.get(index).and_then(|value| value.as_number());
        number.map(|number| number.as_f64()).ok_or_else(|| bad("Point must only contain numeric elements"))
    };
    let coordinates = [number(0)?, number(1)?];
    if values.len() > 2 && extra == Extra::Refused {
        return Err(bad("Point must only contain two numeric elements"));
    }
    match coordinates.iter().all(|coordinate| coordinate.is_finite()) {
        true => Ok(coordinates),
        false => Err(bad("Point coordinates must be finite numbers")),
    }
}

fn parse_flat_field(value: Option<ValueRef<'_>>) -> Result<[f64; 2], QueryError> {
    parse_flat(value.unwrap_or(ValueRef::Null), Extra::Ignored)
}

fn parse_point(coordinates: Option<ValueRef<'_>>) -> Result<Geometry, QueryError> {
    let coordinates = parse_flat_field(coordinates)?;
    match on_sphere(coordinates) {
        Some(_) => Ok(Geometry::flat(coordinates)),
        None => Err(out_of_bounds(coordinates)),
    }
}

/// Positions, each an array of longitude, latitude and whatever follows.
fn parse_positions(value: Option<ValueRef<'_>>) -> Result<Vec<Point>, QueryError> {
    let Some(ValueRef::Array(positions)) = value else {
        return Err(bad("GeoJSON coordinates must be an array of coordinates"));
    };
    positions.iter().map(parse_position).collect()
}

fn parse_position(value: ValueRef<'_>) -> Result<Point, QueryError> {
    if value.as_array().is_none() {
        return Err(bad("GeoJSON coordinates must be an array"));
    }
    let coordinates = parse_flat(value, Extra::Ignored)?;
    on_sphere(coordinates).ok_or_else(|| out_of_bounds(coordinates))
}

fn parse_points(coordinates: Option<ValueRef<'_>>) -> Result<Vec<Part>, QueryError> {
    let points = parse_positions(coordinates)?;
    match points.is_empty() {
        true => Err(bad("MultiPoint coordinates must have at least 1 element")),
        false => Ok(points.into_iter().map(Part::Point).collect()),
    }
}

fn parse_line(coordinates: Option<ValueRef<'_>>) -> Result<Part, QueryError> {
    let mut vertices = parse_positions(coordinates)?;
    vertices.dedup();
    let source = || to_shell_text(coordinates.unwrap_or(ValueRef::Null));
    if vertices.len() < 2 {
        return Err(bad(format!("GeoJSON LineString must have at least 2 vertices: {}", source())));
    }
    let line = Polyline::new(vertices);
    match line.find_validation_error() {
        None => Ok(Part::Line(Box::new(line))),
        Some(error) => Err(bad(format!("GeoJSON LineString is not valid: {} {}", error.message, source()))),
    }
}

fn parse_many(
    name: &str,
    coordinates: Option<ValueRef<'_>>,
    parse: fn(Option<ValueRef<'_>>) -> Result<Part, QueryError>,
) -> Result<Vec<Part>, QueryError> {
    let Some(ValueRef::Array(items)) = coordinates else {
        return Err(bad(format!("{name} coordinates must be an array")));
    };
    let parts: Vec<Part> = items.iter().map(|item| parse(Some(item))).collect::<Result<_, _>>()?;
    match parts.is_empty() {
        true => Err(bad(format!("{name} coordinates must have at least 1 element"))),
        false => Ok(parts),
    }
}

fn parse_polygon(document: DocumentRef<'_>) -> Result<Part, QueryError> {
    let coordinates = document.get("coordinates");
    match parse_crs(document, Winding::Strict)? {
        Winding::Any => parse_rings(coordinates),
        Winding::Strict => parse_big_polygon(coordinates).map(|polygon| Part::Polygon(Box::new(polygon))),
    }
}

fn parse_rings(coordinates: Option<ValueRef<'_>>) -> Result<Part, QueryError> {
    let Some(source @ ValueRef::Array(rings)) = coordinates else {
        return Err(bad("Polygon coordinates must be an array"));
    };
    let rings = rings.iter().map(parse_ring).collect::<Result<_, _>>()?;
    ring::polygon(rings, source).map(|polygon| Part::Polygon(Box::new(polygon)))
}

fn parse_ring(source: ValueRef<'_>) -> Result<Ring<'_>, QueryError> {
    Ok(Ring { points: parse_positions(Some(source))?, source })
}

fn parse_big_polygon(coordinates: Option<ValueRef<'_>>) -> Result<Polygon, QueryError> {
    let Some(source @ ValueRef::Array(rings)) = coordinates else {
        return Err(bad("Coordinates of polygon must be an array"));
    };
    match (rings.get(0), rings.len()) {
        (Some(only), 1) => ring::big_polygon(parse_ring(only)?),
        _ => Err(bad(format!("Only one simple loop is allowed in a big polygon: {}", to_shell_text(source)))),
    }
}

fn parse_collection(document: DocumentRef<'_>) -> Result<Vec<Part>, QueryError> {
    let Some(ValueRef::Array(geometries)) = document.get("geometries") else {
        return Err(bad("GeometryCollection geometries must be an array"));
    };
    if geometries.is_empty() {
        return Err(bad("GeometryCollection geometries must have at least 1 element"));
    }
    let mut parts = Vec::with_capacity(geometries.len());
    for (index, geometry) in geometries.iter().enumerate() {
        let ValueRef::Document(member) = geometry else {
            return Err(bad(format!("Element {index} of \"geometries\" is not an object")));
        };
        if member.get("type").and_then(ValueRef::as_str) == Some("GeometryCollection") {
            return Err(bad(format!("GeometryCollections cannot be nested: {}", to_shell_text(geometry))));
        }
        parts.extend(Geometry::parse_geojson(member)?.parts);
    }
    Ok(parts)
}

/// The coordinate system a GeoJSON object names; by default the sphere.
fn parse_crs(document: DocumentRef<'_>, allowed: Winding) -> Result<Winding, QueryError> {
    let Some(crs) = document.get("crs") else { return Ok(Winding::Any) };
    let Some(crs) = crs.as_document() else { return Err(bad("GeoJSON CRS must be an object")) };
    if crs.get("type").and_then(ValueRef::as_str) != Some("name") {
        return Err(bad("GeoJSON CRS must have field \"type\": \"name\""));
    }
    let Some(properties) = crs.get("properties").and_then(ValueRef::as_document) else {
        return Err(bad("CRS must have field \"properties\" which is an object"));
    };
    match properties.get("name").and_then(ValueRef::as_str) {
        None => Err(bad("In CRS, \"properties.name\" must be a string")),
        Some(name) if CRS_SPHERE.contains(&name) => Ok(Winding::Any),
        Some(CRS_STRICT_WINDING) if allowed == Winding::Strict => Ok(Winding::Strict),
        Some(CRS_STRICT_WINDING) => Err(bad("Strict winding order is only supported by polygon")),
        Some(name) => Err(bad(format!("Unknown CRS name: {name}"))),
    }
}

fn has_strict_winding(document: DocumentRef<'_>) -> bool {
    document.get("crs").is_some() && parse_crs(document, Winding::Strict) == Ok(Winding::Strict)
}

fn begins_with_number(document: DocumentRef<'_>) -> bool {
    document.iter().next().is_some_and(|(_, value)| value.as_number().is_some())
}

fn bad(message: impl Into<String>) -> QueryError {
    QueryError::bad_query(message)
}
