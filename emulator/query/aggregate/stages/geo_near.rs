//! `$geoNear`: documents near a point, the nearest first, each with its distance. Reading them is the collection's work, through an index;
//! here is what it is asked, and what its documents get.

use document::{Bson, Document, ValueRef};

use super::parser::{type_name, whole_number};
use super::{Parser, Stage};
use crate::aggregate::expressions::is_true;
use crate::aggregate::fields::Path;
use crate::{Filter, QueryError};

/// How many documents there are at most where nothing is said, as in MongoDB to 4.0.
const LIMIT_DEFAULT: u64 = 100;

/// What is asked of a collection with a geo index.
#[derive(Debug, Clone)]
pub struct GeoNear {
    /// The point: GeoJSON, or an array of two numbers.
    pub near: Bson,
    /// Whether distances are those on a sphere: in metres for GeoJSON, in radians for an array.
    pub spherical: bool,
    /// How many documents at most.
    pub limit: u64,
    /// Documents farther than this are left out.
    pub max_distance: Option<f64>,
    /// Documents nearer than this are left out.
    pub min_distance: Option<f64>,
    /// The field whose index is used; `None` where the collection has one geo index only.
    pub key: Option<String>,
    /// Which documents besides; the front of the pipeline has it too.
    pub(in crate::aggregate) query: Filter,
    multiplier: f64,
    distance_field: Path,
    location_field: Option<Path>,
}

impl GeoNear {
    /// Puts its distance into a document, and where asked for the place that the distance is of.
    pub fn place(&self, document: &mut Document, distance: f64, location: &Bson) {
        self.distance_field.set(document, Bson::Double(distance * self.multiplier));
        if let Some(field) = &self.location_field {
            field.set(document, location.clone());
        }
    }
}

pub(super) fn parse(_: &mut Parser, specification: &Bson) -> Result<Vec<Stage>, QueryError> {
    let Bson::Document(options) = specification else {
        return Err(QueryError::bad_query("$geoNear requires a 'near' option as an Array"));
    };
    let near = match options.get("near") {
        Some(near @ (Bson::Array(_) | Bson::Document(_))) => near.clone(),
        _ => return Err(QueryError::bad_query("$geoNear requires a 'near' option as an Array")),
    };
    let distance = |name: &str| {
        options.get(name).and_then(|value| ValueRef::from(value).as_number()).map(|number| number.as_f64())
    };
    let near = GeoNear {
        near,
        spherical: options.get("spherical").is_some_and(|flag| is_true(flag.into())),
        limit: parse_limit(options)?,
        max_distance: distance("maxDistance"),
        min_distance: distance("minDistance"),
        key: options.get("key").map(parse_key).transpose()?,
        query: options.get("query").and_then(Bson::as_document).map_or_else(|| Ok(Filter::all()), Filter::parse)?,
        multiplier: distance("distanceMultiplier").unwrap_or(1.0),
        distance_field: parse_distance_field(options)?,
        location_field: options.get("includeLocs").map(parse_location_field).transpose()?,
    };
    Ok(vec![Stage::GeoNear(Box::new(near))])
}

fn parse_distance_field(options: &Document) -> Result<Path, QueryError> {
    match options.get("distanceField") {
        Some(Bson::String(path)) => Path::parse(path),
        _ => Err(QueryError::bad_query("$geoNear requires a 'distanceField' option as a String")),
    }
}

fn parse_location_field(value: &Bson) -> Result<Path, QueryError> {
    match value {
        Bson::String(path) => Path::parse(path),
        _ => Err(QueryError::bad_query("$geoNear requires that 'includeLocs' option is a String")),
    }
}

fn parse_key(value: &Bson) -> Result<String, QueryError> {
    match value {
        Bson::String(key) if key.is_empty() => {
            Err(QueryError::bad_query("$geoNear parameter 'key' cannot be the empty string"))
        }
        Bson::String(key) => Path::parse(key).map(|_| key.clone()),
        _ => {
            let found = type_name(value);
            Err(QueryError::bad_query(format!(
                "$geoNear parameter 'key' must be of type string but found type: {found}"
            )))
        }
    }
}

/// `num` is an older name of `limit`, and wins.
fn parse_limit(options: &Document) -> Result<u64, QueryError> {
    let limit = ["num", "limit"].iter().find_map(|name| options.get(name).and_then(whole_number));
    match limit.map(u64::try_from) {
        None => Ok(LIMIT_DEFAULT),
        Some(Ok(limit)) if limit > 0 => Ok(limit),
        Some(_) => Err(QueryError::bad_query("limit must be positive")),
    }
}
