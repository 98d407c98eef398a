//! `/v1/database/instances/(default)/databases/(default)/…`: a method, a path, a query string and a body as an action and its
//! params (protocol §6.3). What they mean is `environment/actions/nosql.rs`'s.

use environment::ActionError;
use hyper::http::request::Parts;
use serde_json::{Map, Value};

use crate::envelope::{method, query_values};

/// The only instance and the only database there are.
const PLACE: &str = "(default)";

/// The values of a query string that are JSON; the others are texts or whole numbers.
const JSON_VALUES: &[&str] = &["order", "projection", "query"];
const NUMBERS: &[&str] = &["limit", "offset"];

type Params = Map<String, Value>;

/// Refuses databases beyond the one.
pub(super) fn check_place(instance: &str, database: &str) -> Result<(), ActionError> {
    match (instance, database) {
        (PLACE, PLACE) => Ok(()),
        _ => Err(ActionError::unsupported(&format!("the database `{database}` of the instance `{instance}`"))),
    }
}

/// The action that a request is, and its params; `None`: nothing is there. `path` is what follows the place.
pub(super) fn request(
    parts: &Parts,
    path: &[&str],
    body: &[u8],
) -> Result<Option<(&'static str, Params)>, ActionError> {
    let request = match (method(parts), path) {
        ("GET", ["collections", collection, "documents"]) => {
            let mut params = read_query(parts)?;
            params.insert("collectionName".into(), (*collection).into());
            let counts = params.remove("count") == Some(Value::String("true".into()));
            (if counts { "nosql.count" } else { "nosql.find" }, params)
        }
        ("GET", ["collections", collection, "documents", id]) => {
            let mut params = read_query(parts)?;
            params.insert("collectionName".into(), (*collection).into());
            params.insert("id".into(), (*id).into());
            ("nosql.findOne", params)
        }
        ("POST", ["collections"]) => ("nosql.createCollection", read_body(body)?),
        ("POST", ["collections", collection, "documents"]) => ("nosql.insert", read_body_for(collection, body)?),
        ("PATCH", ["collections", collection, "documents"]) => ("nosql.update", read_body_for(collection, body)?),
        ("POST", ["collections", collection, "documents", "remove"]) => {
            ("nosql.remove", read_body_for(collection, body)?)
        }
        ("POST", ["collections", collection, "documents", "aggregations"]) => {
            ("nosql.aggregate", read_body_for(collection, body)?)
        }
        ("POST", ["commands"]) => ("nosql.runCommands", read_body(body)?),
        ("POST", ["transactions"]) => ("nosql.startTransaction", Params::new()),
        ("POST", ["transactions", id, "commit"]) => ("nosql.commit", transaction(id)),
        ("POST", ["transactions", id, "rollback"]) => ("nosql.rollback", transaction(id)),
        _ => return Ok(None),
    };
    Ok(Some(request))
}

fn read_query(parts: &Parts) -> Result<Params, ActionError> {
    let mut params = query_values(parts);
    for (name, value) in &mut params {
        let Value::String(text) = &*value else { continue };
        let bad = |what: &str| ActionError::invalid_param(format!("{name} in the query string must be {what}"));
        if JSON_VALUES.contains(&name.as_str()) {
            *value = serde_json::from_str(text).map_err(|error| bad(&format!("JSON: {error}")))?;
        } else if NUMBERS.contains(&name.as_str()) {
            *value = text.parse::<i64>().map_err(|_| bad("a whole number"))?.into();
        }
    }
    Ok(params)
}

fn read_body(body: &[u8]) -> Result<Params, ActionError> {
    serde_json::from_slice(body).map_err(|error| ActionError::bad_body(&error.to_string()))
}

fn read_body_for(collection: &str, body: &[u8]) -> Result<Params, ActionError> {
    let mut params = read_body(body)?;
    params.insert("collectionName".into(), collection.into());
    Ok(params)
}

fn transaction(id: &str) -> Params {
    Params::from_iter([("transactionId".to_owned(), id.into())])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use hyper::Request;
    use serde_json::json;

    #[test]
    fn a_path_is_an_action() {
        let documents = "collections/c/documents";
        check(
            "GET",
            documents,
            "offset=0&limit=5&projection=%7B%7D&",
            "",
            "nosql.find",
            json!({"offset": 0, "limit": 5, "projection": {}, "collectionName": "c"}),
        );
        check(
            "GET",
            documents,
            "count=true&query=%7B%22n%22%3A1%7D&",
            "",
            "nosql.count",
            json!({"query": {"n": 1}, "collectionName": "c"}),
        );
        check("GET", &format!("{documents}/a"), "", "", "nosql.findOne", json!({"collectionName": "c", "id": "a"}));
        check("POST", documents, "", r#"{"data":[]}"#, "nosql.insert", json!({"data": [], "collectionName": "c"}));
        check("PATCH", documents, "", "{}", "nosql.update", json!({"collectionName": "c"}));
        check("POST", &format!("{documents}/remove"), "", "{}", "nosql.remove", json!({"collectionName": "c"}));
        check(
            "POST",
            "collections",
            "",
            r#"{"collectionName":"d"}"#,
            "nosql.createCollection",
            json!({"collectionName": "d"}),
        );
        check("POST", "transactions", "", "", "nosql.startTransaction", json!({}));
        check("POST", "transactions/t/commit", "", "", "nosql.commit", json!({"transactionId": "t"}));
    }

    #[test]
    fn other_paths_are_not_there() {
        for (method, path) in
            [("PUT", "collections"), ("GET", ""), ("POST", "transactions/t"), ("GET", "collections/c")]
        {
            assert_eq!(read(method, path, "", "{}"), Ok(None), "{method} {path}");
        }
    }

    #[test]
    fn broken_requests_are_told() {
        assert!(read("GET", "collections/c/documents", "limit=x", "").is_err());
        assert!(read("GET", "collections/c/documents", "query=%7B", "").is_err());
        assert!(read("POST", "collections/c/documents", "", "[]").is_err());
        assert!(check_place("(default)", "other").is_err() && check_place("(default)", "(default)").is_ok());
    }

    fn check(method: &str, path: &str, query: &str, body: &str, action: &str, params: Value) {
        let (found, found_params) = read(method, path, query, body).unwrap().unwrap();
        assert_eq!((found, Value::Object(found_params)), (action, params));
    }

    fn read(method: &str, path: &str, query: &str, body: &str) -> Result<Option<(&'static str, Params)>, ActionError> {
        let parts = Request::builder().method(method).uri(format!("/x?{query}")).body(()).unwrap().into_parts().0;
        request(&parts, &path.split('/').collect::<Vec<_>>(), body.as_bytes())
    }
}
