//! What a dotted path finds in a document: through embedded documents, through every element of arrays, and by index
//! (semantics DB-2.06). Knows nothing of conditions: each value found is shown to a function that says when to stop.

use document::{ArrayRef, ValueRef};

use crate::QueryError;

/// A dotted path taken apart once, so that walking it allocates nothing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Path {
    text: Box<str>,
    segments: Box<[Segment]>,
}

/// One segment of a path.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Segment {
    /// The field's name.
    pub(crate) name: Box<str>,
    /// The segment as an array index: digits without a leading zero.
    pub(crate) index: Option<usize>,
}

impl Segment {
    pub(crate) fn parse(name: &str) -> Segment {
        let canonical = name.bytes().all(|byte| byte.is_ascii_digit()) && (name == "0" || !name.starts_with('0'));
        Segment { name: name.into(), index: if canonical { name.parse().ok() } else { None } }
    }
}

impl Path {
    /// Any text is a path: an empty segment is a field with an empty name.
    pub(crate) fn parse(text: &str) -> Path {
        Path { text: text.into(), segments: text.split('.').map(Segment::parse).collect() }
    }

    /// The path of no segments: the value itself.
    pub(crate) fn here() -> Path {
        Path { text: "".into(), segments: Box::default() }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn segments(&self) -> &[Segment] {
        &self.segments
    }
}

/// What an array shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrays {
    /// At the path's end each element, then the array itself: what most conditions look at.
    Elements,
    /// At the path's end only the array.
    Whole,
    /// What indexes and sorts look at: at the path's end each element and not the array, `undefined` for an empty one;
    /// on the way, an element that is no document has the field missing.
    Keys,
}

/// Shows `see` every value at `segments` below `root`, with the index of the outermost array element that was passed
/// through without being named by the path. `None` stands for a missing field. Stops as soon as `see` says true.
///
/// Elements of an array that are no documents have no fields, not even missing ones, but for [`Arrays::Keys`]: `a.b` finds
/// nothing in `{a: [1]}`.
pub(crate) fn walk<'a>(
    root: ValueRef<'a>,
    segments: &[Segment],
    arrays: Arrays,
    see: &mut impl FnMut(Option<ValueRef<'a>>, Option<usize>) -> Result<bool, QueryError>,
) -> Result<bool, QueryError> {
    Walk { arrays, see }.at_root(root, segments)
}

struct Walk<'s, S> {
    arrays: Arrays,
    see: &'s mut S,
}

impl<'a, S> Walk<'_, S>
where
    S: FnMut(Option<ValueRef<'a>>, Option<usize>) -> Result<bool, QueryError>,
{
    fn at_root(&mut self, root: ValueRef<'a>, segments: &[Segment]) -> Result<bool, QueryError> {
        let Some((first, rest)) = segments.split_first() else { return self.value(root, segments, None) };
        match root {
            ValueRef::Document(document) => self.found(document.get(&first.name), rest, None),
            ValueRef::Array(array) => self.found(first.index.and_then(|index| array.get(index)), rest, None),
            _ => (self.see)(None, None),
        }
    }

    fn found(
        &mut self,
        value: Option<ValueRef<'a>>,
        rest: &[Segment],
        passed: Option<usize>,
    ) -> Result<bool, QueryError> {
        match value {
            Some(value) => self.value(value, rest, passed),
            None => (self.see)(None, passed),
        }
    }

    fn value(&mut self, value: ValueRef<'a>, rest: &[Segment], passed: Option<usize>) -> Result<bool, QueryError> {
        match (value, rest.split_first()) {
            (ValueRef::Array(array), None) => self.leaf_array(array, passed),
            (value, None) => (self.see)(Some(value), passed),
            (ValueRef::Array(array), Some((next, after))) => self.elements(array, next, rest, after, passed),
            (ValueRef::Document(document), Some((next, after))) => self.found(document.get(&next.name), after, passed),
            (_, Some(_)) => (self.see)(None, passed),
        }
    }

    fn leaf_array(&mut self, array: ArrayRef<'a>, passed: Option<usize>) -> Result<bool, QueryError> {
        if self.arrays == Arrays::Whole {
            return (self.see)(Some(ValueRef::Array(array)), passed);
        }
        for (index, element) in array.iter().enumerate() {
            if (self.see)(Some(element), passed.or(Some(index)))? {
                return Ok(true);
            }
        }
        match self.arrays {
            Arrays::Keys if array.is_empty() => (self.see)(Some(ValueRef::Undefined), passed),
            Arrays::Keys => Ok(false),
            Arrays::Elements | Arrays::Whole => (self.see)(Some(ValueRef::Array(array)), passed),
        }
    }

    /// An array on the way: `rest` (`next`, then `after`) is looked up in each element that is a document, and `after`
    /// in the element that `next` names by index.
    fn elements(
        &mut self,
        array: ArrayRef<'a>,
        next: &Segment,
        rest: &[Segment],
        after: &[Segment],
        passed: Option<usize>,
    ) -> Result<bool, QueryError> {
        for (index, element) in array.iter().enumerate() {
            let named = next.index == Some(index);
            let stop = match element {
                ValueRef::Document(_) => self.value(element, rest, passed.or(Some(index)))?,
                _ if self.arrays == Arrays::Keys && next.index.is_none() => (self.see)(None, passed)?,
                _ => false,
            };
            if stop || (named && self.indexed(element, after, passed)?) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The element that the path names by index. At the path's end it is shown as it is, even where it is an array.
    fn indexed(&mut self, element: ValueRef<'a>, after: &[Segment], passed: Option<usize>) -> Result<bool, QueryError> {
        match (element, after.is_empty()) {
            (element, true) => (self.see)(Some(element), passed),
            (ValueRef::Document(_) | ValueRef::Array(_), false) => self.value(element, after, passed),
            (_, false) => Ok(false),
        }
    }
}
