//! How an index is read for a filter and an order: between which keys, and what the order of its entries is worth.

use std::sync::Arc;

use document::FieldPath;
use query::{Bounds, Condition, Interval, KeyKind, Sort};

use crate::store::{CollectionId, INDEX_IDS, Index, KeyRange};

/// Into how many ranges the points of several fields may multiply; where they would be more, the later fields are not used.
const SPANS_MAX: usize = 10_000;

/// How many ranges may be read side by side to merge their orders.
const MERGED_MAX: usize = 64;

/// A way of reading an index.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Access {
    pub(crate) index: Arc<Index>,
    pub(crate) spans: Vec<Span>,
    pub(crate) order: Order,
    /// How many of its fields are bounded.
    pub(crate) bounded: usize,
    /// Whether each of its fields is pinned to single values.
    pub(crate) pinned: bool,
    /// Whether the entries are the matches of the filter, one entry for each.
    pub(crate) exact: bool,
}

/// Entries that stand together.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Span {
    pub(crate) range: KeyRange,
    /// How many bytes of its keys precede those it is merged by.
    pub(crate) skip: usize,
}

/// What the order of the entries is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Nothing: documents are put in order afterwards.
    None,
    /// Merged by the components from `from` to before `to`, the entries of all spans are in the order that is asked for.
    Merged { from: usize, to: usize, backward: bool },
}

impl Access {
    /// How `index` is read for a filter and an order; `None` if it is of no use.
    pub(crate) fn of(
        collection: CollectionId,
        index: &Arc<Index>,
        conditions: &[Condition],
        sort: Option<&Sort>,
    ) -> Option<Access> {
        let bounds = all_bounds(index, conditions);
        let prefixes = prefixes(index, &bounds);
        let points = prefixes.first().map_or(bounds.len(), |prefix| prefix.ends.len());
        let last = bounds.get(points).and_then(Option::as_ref);
        let spans = prefixes.len() * last.map_or(1, |bounds| bounds.intervals().len());
        let order = if spans > MERGED_MAX { Order::None } else { order(index, &bounds, points, sort) };
        let bounded = points + usize::from(last.is_some());
        let exact = is_exact(index, &bounds, bounded, conditions);
        if (bounded..index.definition.keys.len()).any(|field| is_geo(index, field)) {
            return None; // it leaves out documents without the geo field
        }
        (bounded > 0 || order != Order::None).then(|| Access {
            index: index.clone(),
            spans: prefixes.iter().flat_map(|prefix| prefix.spans(collection, index, last, order)).collect(),
            order,
            bounded,
            pinned: points == index.definition.keys.len(),
            exact,
        })
    }

    /// Whether entries that are equal in all they are merged by come in insertion order.
    pub(crate) fn keeps_ties(&self) -> bool {
        matches!(self.order, Order::Merged { to, backward: false, .. } if to == self.index.definition.keys.len())
    }
}

/// Components of keys, one behind the other, and where each ends.
#[derive(Clone, Default)]
struct Prefix {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Prefix {
    fn and(&self, component: &[u8]) -> Prefix {
        let mut longer = self.clone();
        longer.bytes.extend(component);
        longer.ends.push(longer.bytes.len());
        longer
    }

    /// The entries that begin with the prefix, within the bounds of the field behind it.
    fn spans(&self, collection: CollectionId, index: &Index, last: Option<&Bounds>, order: Order) -> Vec<Span> {
        let skip = match order {
            Order::Merged { from, .. } => from.checked_sub(1).and_then(|last| self.ends.get(last)).copied(),
            Order::None => None,
        };
        let span = |range| Span { range, skip: skip.unwrap_or(0) };
        let Some(last) = last else { return vec![span(KeyRange::of_index(collection, index.number, &self.bytes))] };
        let descending = is_descending(index, self.ends.len());
        let range = |interval: &Interval| {
            let (low, high) = (stored(index, &interval.low), stored(index, &interval.high));
            if descending {
                KeyRange::between_inverted(collection, index.number, &self.bytes, &low, &high)
            } else {
                let [low, high] = [low, high].map(|bound| [&self.bytes[..], &bound].concat());
                KeyRange::between(collection, index.number, &low, &high)
            }
        };
        last.intervals().iter().map(|interval| span(range(interval))).collect()
    }
}

/// The beginnings of keys that the first fields allow, as far as these are pinned to single values.
fn prefixes(index: &Index, bounds: &[Option<Bounds>]) -> Vec<Prefix> {
    let mut prefixes = vec![Prefix::default()];
    for (field, bounds) in bounds.iter().enumerate() {
        let Some(bounds) = bounds.as_ref().filter(|bounds| bounds.are_points()) else { break };
        if prefixes.len().saturating_mul(bounds.intervals().len()) > SPANS_MAX {
            break;
        }
        let mut components: Vec<Vec<u8>> =
            bounds.intervals().iter().map(|point| component(index, field, point)).collect();
        components.dedup(); // an `_id` is null alone where other keys may be an empty array's too
        prefixes = prefixes.iter().flat_map(|prefix| components.iter().map(|one| prefix.and(one))).collect();
    }
    prefixes
}

fn component(index: &Index, field: usize, point: &Interval) -> Vec<u8> {
    let bytes = stored(index, &point.low);
    if is_descending(index, field) { bytes.iter().map(|byte| !byte).collect() } else { bytes }
}

/// A bound as the index stores keys: `_id_` does without the class that other keys begin with, since no `_id` is an array.
fn stored(index: &Index, bound: &[u8]) -> Vec<u8> {
    const NULL: u8 = 20;
    match bound {
        bound if index.number != INDEX_IDS => bound.to_vec(),
        [0 | 2, rest @ ..] if !rest.is_empty() => rest.to_vec(),
        [1 | 2, ..] => vec![NULL],
        [0] | [] => Vec::new(),
        _ => vec![u8::MAX],
    }
}

/// What the conditions say about each field, as far as the index can use it.
fn all_bounds(index: &Index, conditions: &[Condition]) -> Vec<Option<Bounds>> {
    let mut all: Vec<Option<Bounds>> = Vec::new();
    for (field, (path, _)) in index.definition.keys.iter().enumerate() {
        let of_path = conditions.iter().filter_map(|condition| match condition {
            Condition::Field { path: other, bounds } if other == path.as_str() && bounds.is_narrow() => Some(bounds),
            Condition::Field { .. } | Condition::Geo { .. } | Condition::Any(_) | Condition::Other => None,
        });
        let of_geo = conditions.iter().filter_map(|condition| match condition {
            Condition::Geo { path: other, bounds } if other == path.as_str() => Some(bounds),
            Condition::Field { .. } | Condition::Geo { .. } | Condition::Any(_) | Condition::Other => None,
        });
        let bounds = if is_geo(index, field) {
            of_geo.min_by_key(|bounds| bounds.intervals().len()).cloned()
        } else if !is_comparable(index, field) {
            None
        } else if !is_multikey(index, field) {
            of_path.cloned().reduce(|all, one| all.and(&one))
        } else if shares_array(index, field, &all) {
            None
        } else {
            // Each condition may be met by another key: only one of them bounds.
            of_path.min_by_key(|bounds| (!bounds.are_points(), bounds.intervals().len())).cloned()
        };
        all.push(bounds);
    }
    all
}

/// Whether an earlier field is bounded that may have led through the same array: the two may be met by different elements.
fn shares_array(index: &Index, field: usize, earlier: &[Option<Bounds>]) -> bool {
    let first = |field: usize| index.definition.keys.get(field).map(|(path, _)| path.first());
    (0..field).any(|other| {
        is_multikey(index, other) && earlier.get(other).is_some_and(Option::is_some) && first(other) == first(field)
    })
}

/// What the order of entries is worth, for a sort or for insertion order.
fn order(index: &Index, bounds: &[Option<Bounds>], points: usize, sort: Option<&Sort>) -> Order {
    let fields = index.definition.keys.len();
    let wanted: Vec<(&FieldPath, bool)> = sort
        .iter()
        .flat_map(|sort| sort.fields())
        .filter(|(path, _)| !is_constant(index, bounds, points, path))
        .collect();
    if wanted.is_empty() {
        return if points == fields {
            Order::Merged { from: fields, to: fields, backward: false }
        } else {
            Order::None
        };
    }
    let serves = |from: &usize| {
        let placed = (*from..).zip(&wanted);
        let mut turned = placed.map(|(field, (path, descending))| turned(index, field, path, *descending));
        let first = turned.next().flatten();
        (first.is_some() && turned.all(|other| other == first)).then(|| (*from, first == Some(true)))
    };
    match (0..=points).find_map(|from| serves(&from)) {
        Some((from, backward)) => Order::Merged { from, to: from + wanted.len(), backward },
        None => Order::None,
    }
}

/// Whether a field orders documents by `path`, and if so, whether the other way round.
fn turned(index: &Index, field: usize, path: &FieldPath, descending: bool) -> Option<bool> {
    let (other, _) = index.definition.keys.get(field)?;
    let usable = other == path && is_comparable(index, field) && !is_multikey(index, field);
    usable.then(|| is_descending(index, field) != descending)
}

/// Whether all entries have the same value at `path`.
fn is_constant(index: &Index, bounds: &[Option<Bounds>], points: usize, path: &FieldPath) -> bool {
    let pinned = index.definition.keys.iter().zip(bounds).enumerate().take(points);
    let mut same = pinned.filter(|(_, ((other, _), _))| other == path);
    same.any(|(field, (_, bounds))| {
        !is_multikey(index, field) && bounds.as_ref().is_some_and(|bounds| bounds.intervals().len() == 1)
    })
}

/// Whether the bounds say all that the filter does, and no document has two entries.
fn is_exact(index: &Index, bounds: &[Option<Bounds>], bounded: usize, conditions: &[Condition]) -> bool {
    let said = |condition: &Condition| match condition {
        Condition::Field { path, bounds: all } => {
            let mut fields = index.definition.keys.iter().zip(bounds).take(bounded);
            all.is_exact() && fields.any(|((other, _), used)| other.as_str() == path && used.is_some())
        }
        Condition::Geo { .. } | Condition::Any(_) | Condition::Other => false,
    };
    !index.multikey.contains(&true) && conditions.iter().all(said)
}

fn is_multikey(index: &Index, field: usize) -> bool {
    index.multikey.get(field).copied().unwrap_or(true)
}

fn is_geo(index: &Index, field: usize) -> bool {
    index.definition.keys.get(field).is_some_and(|(_, kind)| *kind == KeyKind::Geo2dsphere)
}

fn is_descending(index: &Index, field: usize) -> bool {
    index.definition.keys.get(field).is_some_and(|(_, kind)| *kind == KeyKind::Descending)
}

/// Whether the field's keys are the values that filters and sorts compare. A number in a path may be an array's index or a
/// name, and means not quite the same to each of them.
fn is_comparable(index: &Index, field: usize) -> bool {
    index.definition.keys.get(field).is_some_and(|(path, kind)| {
        *kind != KeyKind::Geo2dsphere
            && !path.segments().iter().any(|segment| segment.bytes().all(|byte| byte.is_ascii_digit()))
    })
}
