//! Dates and numbers as text: the engine has no locale data, the emulator's own bootstrap has the cases that functions use.

use serde_json::json;

use crate::common::{Project, invocation};

#[tokio::test]
async fn the_time_zone_is_utc_unless_the_function_says_otherwise() {
    let project = Project::new(&[("f/index.js", "exports.main = () => [new Date(0).getHours(), new Date(0).getTimezoneOffset(), process.env.TZ]")]);
    assert_eq!(project.result("f", "{}").await, json!([0, 0, "UTC"]));
    let mut call = invocation("f", "{}");
    call.environment_variables.insert("TZ".to_owned(), "Asia/Shanghai".to_owned());
    let completion = project.functions.invoke(call).await.unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&completion.result).unwrap(), json!([8, -480, "Asia/Shanghai"]));
    assert_eq!(project.result("f", "{}").await, json!([0, 0, "UTC"]));
}
