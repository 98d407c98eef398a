//! The function action (protocol §2.7): `functions.invokeFunction`.

use super::params::Params;
use crate::access;
use crate::caller::Caller;
use crate::cloud::{Environment, Reply};
use crate::error::ActionError;
use crate::identity::Identity;
use crate::invocation::{Call, Trigger};
use serde_json::{Value, json};

/// semantics DB-8.09.
const FUNCTION_NAME_LENGTH_MAX: usize = 60;

pub(crate) async fn invoke(environment: &Environment, caller: &Caller, params: Params) -> Result<Reply, ActionError> {
    let (identity, trigger) = identity(environment, caller)?;
    let function = function_name(&params)?;
    access::check_function(environment, caller, &function)?;
    let call = Call { function, event: event(&params)?, identity, trigger };
    if params.flag("async")? {
        let environment = environment.clone();
        tokio::spawn(async move { environment.run(call).await });
        return Ok(Reply::Data(json!({ "response_data": "null" })));
    }
    let outcome = environment.run(call).await;
    Ok(Reply::Data(json!({ "response_data": outcome.result? })))
}

/// Too long a name would be echoed into the log and the error.
fn function_name(params: &Params) -> Result<String, ActionError> {
    let name = params.text("function_name")?;
    if name.len() > FUNCTION_NAME_LENGTH_MAX {
        return Err(ActionError::param_type("function_name", "at most 60 characters long"));
    }
    Ok(name.to_owned())
}

/// Whose call it is: a page's is its user's; a function's own calls carry their user on (semantics FN-06); any other is a
/// server's.
fn identity(environment: &Environment, caller: &Caller) -> Result<(Identity, Trigger), ActionError> {
    if let Some(user) = access::user_of(environment, caller)? {
        return Ok((Identity::user(user), Trigger::MiniProgram));
    }
    let session = caller.session_token.as_deref().and_then(|token| environment.shared.sessions.identity(token));
    Ok((session.map_or_else(Identity::server, |identity| identity.through_function()), Trigger::Server))
}

fn event(params: &Params) -> Result<Value, ActionError> {
    let text = params.optional_text("request_data")?.unwrap_or("{}");
    serde_json::from_str(text).map_err(|error| ActionError::invalid_param(format!("request_data is not JSON: {error}")))
}
