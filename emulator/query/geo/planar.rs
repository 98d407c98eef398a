//! The older shapes of `$geoWithin`, on the plane of longitude and latitude: `$box`, `$center`, `$polygon`.

use document::ValueRef;

use super::geojson::{parse_pair, values};
use crate::QueryError;

/// A region of the plane. Its boundary belongs to a box and a circle.
#[derive(Debug)]
pub(super) enum Planar {
    Box { low: [f64; 2], high: [f64; 2] },
    Circle { centre: [f64; 2], radius: f64 },
    Polygon(Vec<[f64; 2]>),
}

impl Planar {
    pub(super) fn parse_box(value: ValueRef<'_>) -> Result<Planar, QueryError> {
        let corners = values(value).unwrap_or_default();
        let (a, b) = (parse_pair(corners.first().copied())?, parse_pair(corners.get(1).copied())?);
        Ok(Planar::Box { low: [a[0].min(b[0]), a[1].min(b[1])], high: [a[0].max(b[0]), a[1].max(b[1])] })
    }

    pub(super) fn parse_circle(value: ValueRef<'_>) -> Result<Planar, QueryError> {
        let (centre, radius) = parse_circle(value)?;
        Ok(Planar::Circle { centre, radius })
    }

    pub(super) fn parse_polygon(value: ValueRef<'_>) -> Result<Planar, QueryError> {
        let corners = values(value).unwrap_or_default();
        let corners: Vec<_> = corners.into_iter().map(|corner| parse_pair(Some(corner))).collect::<Result<_, _>>()?;
        match corners.len() < 3 {
            true => Err(QueryError::bad_query("Polygon must have at least 3 points")),
            false => Ok(Planar::Polygon(corners)),
        }
    }

    pub(super) fn contains(&self, [x, y]: [f64; 2]) -> bool {
        match self {
            Planar::Box { low, high } => (low[0]..=high[0]).contains(&x) && (low[1]..=high[1]).contains(&y),
            Planar::Circle { centre, radius } => (x - centre[0]).hypot(y - centre[1]) <= *radius,
            Planar::Polygon(corners) => is_inside(corners, [x, y]),
        }
    }
}

/// A centre and a radius of any unit, and nothing else.
pub(super) fn parse_circle(value: ValueRef<'_>) -> Result<([f64; 2], f64), QueryError> {
    let fields = values(value).unwrap_or_default();
    let centre = parse_pair(fields.first().copied())?;
    let radius = fields.get(1).and_then(|radius| radius.as_number()).map(|radius| radius.as_f64());
    match radius.filter(|radius| *radius >= 0.0) {
        None => Err(QueryError::bad_query("radius must be a non-negative number")),
        Some(_) if fields.len() > 2 => Err(QueryError::bad_query("Only 2 fields allowed for circular region")),
        Some(radius) => Ok((centre, radius)),
    }
}

/// Whether a ray from the point to the right crosses an odd number of edges.
fn is_inside(corners: &[[f64; 2]], [x, y]: [f64; 2]) -> bool {
    let next = corners.iter().cycle().skip(1);
    let crossed = corners.iter().zip(next).filter(|(from, to)| {
        let between = y > from[1].min(to[1]) && y <= from[1].max(to[1]);
        between && x <= from[0] + (y - from[1]) * (to[0] - from[0]) / (to[1] - from[1])
    });
    crossed.count() % 2 == 1
}
