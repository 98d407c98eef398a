//! `$project`: fields kept, left out or computed. Where anything is kept or computed, only that is in the result, and `_id` unless it
//! is left out by name.

use document::{Bson, Document, to_shell_text};

use super::computed::{Field, Fields, is_flag};
use super::{Context, Parser, Stage, specification};
use crate::QueryError;
use crate::aggregate::expressions::is_true;
use crate::aggregate::item::Item;

/// A projection of either kind.
#[derive(Debug, Clone)]
pub(super) enum Project {
    /// What is named is kept or computed.
    Inclusion(Fields),
    /// What is named is left out.
    Exclusion(Fields),
}

pub(super) fn parse(parser: &mut Parser, specification: &Bson) -> Result<Vec<Stage>, QueryError> {
    let Bson::Document(specification) = specification else {
        return Err(QueryError::bad_query("$project specification must be an object"));
    };
    parse_fields(parser, specification)
        .map(|project| vec![Stage::Project(project)])
        .map_err(|error| specification::invalid("$project", error))
}

fn parse_fields(parser: &mut Parser, specification: &Document) -> Result<Project, QueryError> {
    specification::check(specification)?;
    match Kind::of(specification)? {
        Kind::Exclusion => Fields::parse_included(parser, specification).map(Project::Exclusion),
        Kind::Inclusion => {
            let leaves_id_out = specification.get("_id").is_some_and(|id| is_flag(id) && !is_true(id.into()));
            let mut named = specification.clone();
            if leaves_id_out {
                named.remove("_id");
            }
            let mut fields = Fields::parse_included(parser, &named)?;
            if !leaves_id_out && fields.get("_id").is_none() {
                fields.insert(&["_id".into()], Field::Named);
            }
            Ok(Project::Inclusion(fields))
        }
    }
}

impl Project {
    pub(super) fn apply<L>(&self, item: Item, context: &Context<'_, L>) -> Result<Item, QueryError> {
        match self {
            Project::Exclusion(fields) => Ok(Item::Made(fields.excluded(item.view()))),
            Project::Inclusion(fields) => {
                let mut document = fields.included(item.view());
                fields.compute(&mut document, &context.at(item.view()))?;
                Item::made(document)
            }
        }
    }

    /// All but the fields at `paths`, of which none leads into another.
    pub(super) fn without<'a>(paths: impl Iterator<Item = &'a [Box<str>]>) -> Project {
        let mut fields = Fields::default();
        paths.for_each(|path| fields.insert(path, Field::Named));
        Project::Exclusion(fields)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Inclusion,
    Exclusion,
}

impl Kind {
    /// What the fields say together; `_id: 0` goes with both.
    fn of(specification: &Document) -> Result<Kind, QueryError> {
        let mut kind = None;
        for (path, value) in specification {
            note(specification, path, value, &mut kind)?;
        }
        let only_without_id =
            specification.len() == 1 && specification.get("_id").is_some_and(|id| is_flag(id) && !is_true(id.into()));
        Ok(kind.unwrap_or(if only_without_id { Kind::Exclusion } else { Kind::Inclusion }))
    }
}

fn note(whole: &Document, path: &str, value: &Bson, kind: &mut Option<Kind>) -> Result<(), QueryError> {
    match value {
        Bson::Document(below) if !below.keys().any(|name| name.starts_with('$')) => {
            below.iter().try_for_each(|(name, value)| note(whole, &format!("{path}.{name}"), value, kind))
        }
        flag if is_flag(flag) && !is_true(flag.into()) => {
            if path == "_id" {
                return Ok(());
            }
            settle(whole, kind, Kind::Exclusion, "cannot exclude fields other than '_id' in an inclusion projection")
        }
        _ => settle(
            whole,
            kind,
            Kind::Inclusion,
            "cannot include fields or add computed fields during an exclusion projection",
        ),
    }
}

fn settle(whole: &Document, kind: &mut Option<Kind>, wanted: Kind, mistake: &str) -> Result<(), QueryError> {
    if *kind.get_or_insert(wanted) == wanted {
        return Ok(());
    }
    let whole = to_shell_text(whole.into());
    Err(QueryError::bad_query(format!("Bad projection specification, {mistake}: {whole}")))
}
