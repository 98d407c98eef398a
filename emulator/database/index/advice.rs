//! Advice in words: which index would have served a query. First the fields that are pinned to values, then those sorted by,
//! then one that is bounded; so an index serves most.

use std::fmt::{self, Write};

use document::FieldPath;
use query::{Bounds, Condition, Filter, Sort};

use crate::plan::Plan;

use super::{Access, Order};

/// What a query asks, without the values it asks for.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Shape {
    equalities: Vec<String>,
    ranges: Vec<String>,
    sort: Vec<(String, bool)>,
    branches: Vec<Shape>,
    /// Whether only a page is wanted: who wants everything in an order reads and sorts everything.
    paged: bool,
    /// Whether there is more that no index bounds.
    other: bool,
}

impl Shape {
    /// Of a filter and a sort; `paged` says whether there is a limit.
    pub(crate) fn of(filter: &Filter, sort: Option<&Sort>, paged: bool) -> Shape {
        let mut shape = Shape { paged, ..Shape::of_conditions(&filter.conditions()) };
        let fields = sort.iter().flat_map(|sort| sort.fields());
        shape.sort = fields.map(|(path, descending)| (path.as_str().to_owned(), descending)).collect();
        shape
    }

    /// What to do so that the query is served better than by `plan`, if there is something.
    pub(crate) fn advice(&self, plan: &Plan) -> Option<String> {
        match plan {
            Plan::Ids(_) | Plan::Near { .. } => return None,
            Plan::Index { access, .. } if self.is_served_by(access) => return None,
            Plan::Union(_) if !self.bounds_fields() => return None,
            Plan::Scan if !self.bounds_fields() && self.branches.is_empty() && !self.paged => return None,
            Plan::Index { .. } | Plan::Union(_) | Plan::Scan => {}
        }
        if let Some(index) = self.index() {
            return Some(format!("an index on {index} would serve this query: {}", self.reasons()));
        }
        let branches: Option<Vec<String>> = self.branches.iter().map(Shape::index).collect();
        let branches = branches.filter(|branches| !branches.is_empty())?;
        Some(format!("an index for each branch of $or would serve this query: {}", branches.join(", ")))
    }

    fn bounds_fields(&self) -> bool {
        !self.equalities.is_empty() || !self.ranges.is_empty()
    }

    fn of_conditions(conditions: &[Condition]) -> Shape {
        let mut shape = Shape::default();
        for condition in conditions {
            match condition {
                Condition::Field { path, bounds } if bounds.is_narrow() => shape.add_field(path, bounds),
                Condition::Any(branches) => shape.branches.extend(branches.iter().map(|all| Shape::of_conditions(all))),
                Condition::Field { .. } | Condition::Geo { .. } | Condition::Other => shape.other = true,
            }
        }
        shape.ranges.retain(|path| !shape.equalities.contains(path));
        shape
    }

    fn add_field(&mut self, path: &str, bounds: &Bounds) {
        let Some(path) = FieldPath::parse(path).ok().map(|path| path.as_str().to_owned()) else { return };
        let fields = if bounds.are_points() { &mut self.equalities } else { &mut self.ranges };
        if !fields.contains(&path) {
            fields.push(path);
        }
    }

    /// The fields of the index that serves best, if any does.
    fn index(&self) -> Option<String> {
        let mut fields: Vec<(&str, bool)> = self.equalities.iter().map(|path| (path.as_str(), false)).collect();
        let sort = self.sort.iter().map(|(path, descending)| (path.as_str(), *descending));
        let range = self.ranges.first().map(|path| (path.as_str(), false));
        for (path, descending) in sort.chain(range) {
            if !fields.iter().any(|(other, _)| *other == path) {
                fields.push((path, descending));
            }
        }
        let fields: Vec<String> =
            fields.iter().map(|(path, descending)| format!("{path}: {}", if *descending { -1 } else { 1 })).collect();
        (!fields.is_empty()).then(|| format!("{{{}}}", fields.join(", ")))
    }

    fn reasons(&self) -> String {
        let sort: Vec<&str> = self.sort.iter().map(|(path, _)| path.as_str()).collect();
        let range: Vec<&str> = self.ranges.first().map(String::as_str).into_iter().collect();
        let equalities: Vec<&str> = self.equalities.iter().map(String::as_str).collect();
        let reasons = [("equality on", equalities), ("sort by", sort), ("range on", range)];
        let reasons = reasons.iter().filter(|(_, fields)| !fields.is_empty());
        reasons.map(|(what, fields)| format!("{what} {}", fields.join(" and "))).collect::<Vec<_>>().join(", then ")
    }

    /// Whether an index is used as well as one could be.
    fn is_served_by(&self, access: &Access) -> bool {
        let wanted = self.equalities.len() + usize::from(!self.ranges.is_empty());
        let sorted = self.sort.is_empty() || access.order != Order::None;
        // Behind the fields sorted by, a range cannot bound.
        let ranged = !self.sort.is_empty() && !self.ranges.is_empty() && access.bounded + 1 == wanted;
        sorted && (access.bounded >= wanted || ranged)
    }
}

impl fmt::Display for Shape {
    /// `{status: equality, at: range, …} sort {at: -1}`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = self.equalities.iter().map(|path| format!("{path}: equality")).collect();
        parts.extend(self.ranges.iter().map(|path| format!("{path}: range")));
        if !self.branches.is_empty() {
            let branches: Vec<String> = self.branches.iter().map(Shape::to_string).collect();
            parts.push(format!("$or: [{}]", branches.join(", ")));
        }
        if self.other {
            parts.push("…".to_owned());
        }
        write!(formatter, "{{{}}}", parts.join(", "))?;
        if self.sort.is_empty() {
            return Ok(());
        }
        let directions = self.sort.iter().map(|(path, down)| format!("{path}: {}", if *down { -1 } else { 1 }));
        formatter.write_str(" sort {")?;
        formatter.write_str(&directions.collect::<Vec<_>>().join(", "))?;
        formatter.write_char('}')
    }
}
