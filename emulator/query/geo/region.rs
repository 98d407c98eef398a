//! The regions that `$geoWithin` and `$geoIntersects` ask about.

use document::{Bson, Document, ValueRef, to_shell_text};
use s2rst::s1::Angle;
use s2rst::s2::{Cap, Polygon};

use super::cells::Covering;
use super::geojson::{Geometry, on_sphere, out_of_bounds};
use super::parts::Part;
use super::planar::{Planar, parse_circle};
use crate::QueryError;

/// What stored geometries are compared with.
#[derive(Debug)]
pub(crate) struct Region {
    relation: Relation,
    shape: Shape,
}

/// How a stored geometry must lie to the region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    /// All of it lies in the region: `$geoWithin`.
    Within,
    /// It has a point in common with the region: `$geoIntersects`.
    Meets,
}

#[derive(Debug)]
enum Shape {
    /// `$geometry`.
    Geometry(Geometry),
    /// `$centerSphere`: the radius in radians.
    Cap(Cap),
    /// `$box`, `$center`, `$polygon`.
    Planar(Planar),
}

impl Region {
    /// Reads what stands behind `$geoWithin` or `$geoIntersects`; `operators` is the document they stand in, for error texts.
    pub(crate) fn parse(relation: Relation, argument: &Bson, operators: &Document) -> Result<Region, QueryError> {
        let Bson::Document(fields) = argument else { return Err(bad("geometry must be an object")) };
        let mut shape = None;
        for (name, value) in fields {
            if name != "$uniqueDocs" {
                shape = Some(Shape::parse(name, value.into())?);
            }
        }
        let shape = shape.ok_or_else(|| bad("geo query doesn't have any geometry"))?;
        let refused = match relation {
            Relation::Within => (!shape.can_contain()).then_some("$within not supported with provided geometry"),
            Relation::Meets => (!shape.is_on_sphere()).then_some("$geoIntersect not supported with provided geometry"),
        };
        match refused {
            Some(text) => Err(bad(format!("{text}: {}", to_shell_text(operators.into())))),
            None => Ok(Region { relation, shape }),
        }
    }

    /// Whether `value` is a geometry that lies as it must.
    pub(crate) fn matches(&self, value: ValueRef<'_>) -> bool {
        if value.as_document().is_none() && value.as_array().is_none() {
            return false;
        }
        let Ok(geometry) = Geometry::parse_stored(value) else { return false };
        match self.relation {
            Relation::Within => self.shape.contains(&geometry),
            Relation::Meets => self.shape.meets(&geometry),
        }
    }

    /// Where an index finds what may match; `None` where only a look at every document tells.
    pub(crate) fn covering(&self) -> Option<Covering> {
        match &self.shape {
            Shape::Geometry(geometry) => Some(Covering::of_parts(geometry.parts())),
            Shape::Cap(cap) => Some(Covering::of_cap(cap)),
            Shape::Planar(_) => None,
        }
    }
}

impl Shape {
    fn parse(name: &str, value: ValueRef<'_>) -> Result<Shape, QueryError> {
        let unknown = || bad(format!("unknown geo specifier: {name}: {}", to_shell_text(value)));
        if value.as_document().is_none() && value.as_array().is_none() {
            return Err(unknown());
        }
        match name {
            "$box" => Planar::parse_box(value).map(Shape::Planar),
            "$center" => Planar::parse_circle(value).map(Shape::Planar),
            "$centerSphere" => parse_cap(value).map(Shape::Cap),
            "$geometry" => Geometry::parse_query(value).map(Shape::Geometry),
            "$polygon" => Planar::parse_polygon(value).map(Shape::Planar),
            _ => Err(unknown()),
        }
    }

    /// Whether something can be within: points and lines contain nothing.
    fn can_contain(&self) -> bool {
        match self {
            Shape::Geometry(geometry) => polygons(geometry).next().is_some(),
            Shape::Cap(_) | Shape::Planar(_) => true,
        }
    }

    fn is_on_sphere(&self) -> bool {
        match self {
            Shape::Geometry(geometry) => !geometry.parts().is_empty(),
            Shape::Cap(_) => true,
            Shape::Planar(_) => false,
        }
    }

    /// Whether each part lies in one polygon of the shape. Nothing but a point lies in a shape of the plane.
    fn contains(&self, geometry: &Geometry) -> bool {
        let parts = geometry.parts();
        match self {
            Shape::Planar(planar) => geometry.as_flat().is_some_and(|point| planar.contains(point)),
            Shape::Cap(cap) => !parts.is_empty() && parts.iter().all(|part| part.is_within_cap(cap)),
            Shape::Geometry(outer) => {
                !parts.is_empty() && parts.iter().all(|part| polygons(outer).any(|polygon| part.is_within(polygon)))
            }
        }
    }

    /// MongoDB knows `$geoIntersects` of a `$geometry` only: nothing meets the other shapes.
    fn meets(&self, geometry: &Geometry) -> bool {
        match self {
            Shape::Geometry(other) => {
                other.parts().iter().any(|part| geometry.parts().iter().any(|own| own.meets(part)))
            }
            Shape::Cap(_) | Shape::Planar(_) => false,
        }
    }
}

fn polygons(geometry: &Geometry) -> impl Iterator<Item = &Polygon> {
    geometry.parts().iter().filter_map(|part| match part {
        Part::Polygon(polygon) => Some(polygon.as_ref()),
        Part::Point(_) | Part::Line(_) => None,
    })
}

fn parse_cap(value: ValueRef<'_>) -> Result<Cap, QueryError> {
    let (centre, radius) = parse_circle(value)?;
    let centre = on_sphere(centre).ok_or_else(|| out_of_bounds(centre))?;
    Ok(Cap::from_center_angle(centre, Angle::from_radians(radius.min(std::f64::consts::PI))))
}

fn bad(message: impl Into<String>) -> QueryError {
    QueryError::bad_query(message)
}
