//! Functions end to end: real workers, real JavaScript.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Project, invocation};

#[tokio::test]
async fn a_function_returns_its_event() {
    let project = Project::new(&[("echo/index.js", "exports.main = async (event, context) => ({ event, name: context.function_name })")]);
    assert_eq!(project.result("echo", r#"{"a": 1}"#).await, serde_json::json!({ "event": { "a": 1 }, "name": "echo" }));
    let _ = invocation("echo", "{}");
}
