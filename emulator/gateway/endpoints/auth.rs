//! `/auth/v1/*`: how @cloudbase/js-sdk 2.x and 3.x sign in (protocol §5.2). A path is an action of the vocabulary; bodies have no
//! envelope, and errors are OAuth's: `{error, error_code, error_description}` with a status.

use environment::codes::*;
use environment::{ActionError, Cloud, Reply};
use hyper::StatusCode;
use hyper::http::request::Parts;
use serde_json::{Map, Value, json};

use crate::body::{Answer, RequestBody};
use crate::dispatch::Note;
use crate::endpoints::action::BODY_LIMIT;
use crate::envelope::{self, bearer, method, query_values};

/// Path, method and the action they are, sorted.
const PATHS: &[(&str, &str, &str)] = &[
    ("checkIfUserExist", "GET", "oauth.doesUserExist"),
    ("provider/token", "POST", "oauth.grantProviderToken"),
    ("reset", "POST", "oauth.resetPassword"),
    ("revoke", "POST", "oauth.revoke"),
    ("signin", "POST", "oauth.signIn"),
    ("signin/anonymously", "POST", "oauth.signInAnonymously"),
    ("signin/custom", "POST", "oauth.signInWithTicket"),
    ("signin/with/provider", "POST", "oauth.signInWithProvider"),
    ("signup", "POST", "oauth.signUp"),
    ("token", "POST", "oauth.refresh"),
    ("user/me", "GET", "oauth.user"),
    ("user/password", "PATCH", "oauth.setPassword"),
    ("user/signout", "POST", "oauth.signOut"),
    ("user/sudo", "POST", "oauth.checkPassword"),
    ("verification", "POST", "oauth.sendCode"),
    ("verification/verify", "POST", "oauth.checkCode"),
];

/// Each code with the status, OAuth's word and the number that js-sdk knows; sorted. Any other is `OTHER`.
const ERRORS: &[(&str, StatusCode, &str, u16)] = &[
    (ACCESS_TOKEN_EXPIRED, StatusCode::UNAUTHORIZED, "unauthenticated", 16),
    (ALREADY_EXISTS, StatusCode::CONFLICT, "already_exists", 6),
    (CHECK_LOGIN_FAILED, StatusCode::UNAUTHORIZED, "unauthenticated", 16),
    (INVALID_PASSWORD, StatusCode::BAD_REQUEST, "invalid_password", 3),
    (INVALID_REFRESH_TOKEN, StatusCode::BAD_REQUEST, "invalid_grant", 16),
    (INVALID_VERIFICATION_CODE, StatusCode::BAD_REQUEST, "invalid_verification_code", 3),
    (NOT_FOUND, StatusCode::NOT_FOUND, "not_found", 5),
    (REFRESH_TOKEN_EXPIRED, StatusCode::BAD_REQUEST, "invalid_grant", 16),
    (SYS_ERR, StatusCode::INTERNAL_SERVER_ERROR, "internal", 13),
];
const OTHER: (StatusCode, &str, u16) = (StatusCode::BAD_REQUEST, "invalid_argument", 3);
const UNIMPLEMENTED: (StatusCode, &str, u16) = (StatusCode::NOT_IMPLEMENTED, "unimplemented", 12);

/// Answers one request for `path`, which is what follows `/auth/v1/`.
pub(crate) async fn answer(
    cloud: &Cloud,
    parts: &Parts,
    path: &str,
    body: &mut RequestBody,
    note: &mut Note,
) -> Answer {
    let Some(action) = action(method(parts), path) else {
        let message = format!("not supported by the emulator: {} /auth/v1/{path}", parts.method);
        return refuse(UNIMPLEMENTED, &message);
    };
    match open_and_call(cloud, parts, note.action.insert(action.to_owned()), body).await {
        Ok(Reply::Data(body)) => envelope::json(StatusCode::OK, &body),
        Ok(Reply::TopLevel(fields)) => envelope::json(StatusCode::OK, &fields),
        Err(error) => {
            note.code = Some(error.code);
            refuse(meaning(error.code), &error.message)
        }
    }
}

fn action(method: &str, path: &str) -> Option<&'static str> {
    let row = PATHS.iter().find(|(known, takes, _)| *known == path && *takes == method);
    row.map(|(.., action)| *action)
}

async fn open_and_call(
    cloud: &Cloud,
    parts: &Parts,
    action: &str,
    body: &mut RequestBody,
) -> Result<Reply, ActionError> {
    let mut params = query_values(parts);
    params.extend(read_object(body).await?);
    let token = bearer(parts);
    let environment = match (token, params.remove("client_id")) {
        (None, Some(Value::String(name))) => cloud.environment(&name)?,
        (token, _) => cloud.environment_of_token(token)?,
    };
    if let Some(token) = token {
        // Signing out ends the session of the bearer unless it names another.
        params.entry("token").or_insert_with(|| json!(token));
    }
    environment.call_as_user(token, action, params).await
}

/// A body without anything in it counts as `{}`.
pub(super) async fn read_object(body: &mut RequestBody) -> Result<Map<String, Value>, ActionError> {
    let body = body.read(BODY_LIMIT).await?;
    if body.is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_slice(&body).map_err(|error| ActionError::bad_body(&error.to_string()))
}

fn meaning(code: &str) -> (StatusCode, &'static str, u16) {
    let row = ERRORS.iter().find(|(known, ..)| *known == code);
    row.map_or(OTHER, |(_, status, word, number)| (*status, word, *number))
}

fn refuse((status, word, number): (StatusCode, &str, u16), message: &str) -> Answer {
    envelope::json(status, &json!({ "error": word, "error_code": number, "error_description": message }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted() {
        assert!(PATHS.is_sorted() && ERRORS.is_sorted_by_key(|(code, ..)| *code));
    }

    #[test]
    fn a_path_and_a_method_are_an_action() {
        assert_eq!(action("GET", "user/me"), Some("oauth.user"));
        for (method, path) in [("POST", "user/me"), ("GET", "user/me/"), ("GET", "")] {
            assert_eq!(action(method, path), None, "{method} {path}");
        }
    }

    #[test]
    fn codes_have_their_words() {
        assert_eq!(meaning("INVALID_REFRESH_TOKEN").1, "invalid_grant");
        assert_eq!(meaning("INVALID_PARAM"), OTHER);
    }
}
