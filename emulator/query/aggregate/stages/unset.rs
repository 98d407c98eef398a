//! `$unset`, of MongoDB 4.2: a `$project` that leaves fields out.

use document::Bson;

use super::parser::type_name;
use super::project::Project;
use super::{Parser, Stage, specification};
use crate::QueryError;
use crate::aggregate::fields::Path;

pub(super) fn parse(_: &mut Parser, specification: &Bson) -> Result<Vec<Stage>, QueryError> {
    let names = match specification {
        Bson::String(name) => std::slice::from_ref(name).iter().map(String::as_str).collect(),
        Bson::Array(names) if names.is_empty() => {
            return Err(QueryError::bad_query(
                "$unset specification must be a string or an array with at least one field",
            ));
        }
        Bson::Array(names) => names.iter().map(name).collect::<Result<Vec<_>, _>>()?,
        _ => return Err(QueryError::bad_query("$unset specification must be a string or an array")),
    };
    let excluded = names.iter().map(|name| ((*name).to_owned(), Bson::Boolean(false))).collect();
    specification::check(&excluded).map_err(|error| specification::invalid("$unset", error))?;
    let paths = names.into_iter().map(Path::parse).collect::<Result<Vec<_>, _>>()?;
    Ok(vec![Stage::Project(Project::without(paths.iter().map(Path::segments)))])
}

fn name(name: &Bson) -> Result<&str, QueryError> {
    name.as_str().ok_or_else(|| {
        let found = type_name(name);
        QueryError::bad_query(format!(
            "$unset specification must be a string or an array containing only string values, found {found}"
        ))
    })
}
