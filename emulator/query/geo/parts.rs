//! The parts of a shape, and how two of them lie to each other on the sphere.

use s2rst::s1::Angle;
use s2rst::s2::boolean_operation::{Options, PolygonModel, S2BooleanOperation};
use s2rst::s2::lax_polygon::LaxPolygon;
use s2rst::s2::polyline::Polyline;
use s2rst::s2::region_coverer::RegionCoverer;
use s2rst::s2::shape_index::ShapeIndex;
use s2rst::s2::{Cap, Cell, CellId, CellUnion, Point, Polygon, Region};

/// A part of a shape.
#[derive(Debug)]
pub(super) enum Part {
    /// A point; boxed parts keep it small.
    Point(Point),
    /// At least two vertices, no two neighbours the same or opposite.
    Line(Box<Polyline>),
    /// A shell and its holes.
    Polygon(Box<Polygon>),
}

/// How far a line may leave the polygon that it is within: what rounding makes of a line along an edge.
const STRAY_DEGREES_MAX: f64 = 1e-10;

impl Part {
    /// Cells that cover the part: a point's is the smallest there is.
    pub(super) fn covering(&self, coverer: &RegionCoverer) -> CellUnion {
        match self {
            Part::Point(point) => CellUnion::from_cell_ids(vec![CellId::from_point(point)]),
            Part::Line(line) => coverer.covering(line.as_ref()),
            Part::Polygon(polygon) => coverer.covering(polygon.as_ref()),
        }
    }

    /// Whether the parts have a point in common. A point is as large as the smallest cell, about a centimetre; polygons that
    /// only share an edge have none.
    pub(super) fn meets(&self, other: &Part) -> bool {
        match (self, other) {
            (Part::Point(left), Part::Point(right)) => Cell::from_point(*left).id() == Cell::from_point(*right).id(),
            (Part::Point(point), Part::Line(line)) | (Part::Line(line), Part::Point(point)) => {
                line.intersects_cell(&Cell::from_point(*point))
            }
            (Part::Point(point), Part::Polygon(polygon)) | (Part::Polygon(polygon), Part::Point(point)) => {
                has_point(polygon, *point)
            }
            (Part::Line(left), Part::Line(right)) => left.intersects(right),
            (Part::Line(line), Part::Polygon(polygon)) | (Part::Polygon(polygon), Part::Line(line)) => {
                line_meets(line, polygon)
            }
            (Part::Polygon(left), Part::Polygon(right)) => left.intersects_polygon(right),
        }
    }

    /// Whether all of the part lies in `polygon`; its boundary belongs to it.
    pub(super) fn is_within(&self, polygon: &Polygon) -> bool {
        match self {
            Part::Point(point) => has_point(polygon, *point),
            Part::Line(line) => has_line(polygon, line),
            Part::Polygon(inner) => polygon.contains_polygon(inner),
        }
    }

    /// Whether all of the part lies in `cap`.
    pub(super) fn is_within_cap(&self, cap: &Cap) -> bool {
        if let Part::Point(point) = self {
            return cap.intersects_cell(&Cell::from_point(*point));
        }
        let outside = cap.complement();
        outside.is_empty() || self.distance(outside.center()) >= outside.angle_radius()
    }

    /// The smallest angle between `point` and the part: zero inside a polygon.
    pub(super) fn distance(&self, point: Point) -> Angle {
        match self {
            Part::Point(other) => point.distance(*other),
            Part::Line(line) => point.distance(line.project(point).0),
            Part::Polygon(polygon) if polygon.contains_point(&point) => Angle::from_radians(0.0),
            Part::Polygon(polygon) => point.distance(polygon.project_to_boundary(point)),
        }
    }
}

fn has_point(polygon: &Polygon, point: Point) -> bool {
    polygon.contains_point(&point) || polygon.intersects_cell(&Cell::from_point(point))
}

fn has_line(polygon: &Polygon, line: &Polyline) -> bool {
    let strays = polygon.clone().subtract_from_polyline(line);
    strays.iter().all(|stray| stray.length().degrees() <= STRAY_DEGREES_MAX) && line_meets(line, polygon)
}

fn line_meets(line: &Polyline, polygon: &Polygon) -> bool {
    if !line.rect_bound().intersects(polygon.rect_bound()) {
        return false;
    }
    let mut lines = ShapeIndex::new();
    lines.add(Box::new(line.clone()));
    let mut polygons = ShapeIndex::new();
    polygons.add(Box::new(LaxPolygon::from_polygon_ref(polygon)));
    let options = Options { polygon_model: PolygonModel::Closed, ..Options::default() };
    S2BooleanOperation::intersects(&mut lines, &mut polygons, options)
}
