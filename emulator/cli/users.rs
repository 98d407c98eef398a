//! `emulator users`: the users of a mini program, by name and openid; `emulator outbox`: what would have been sent to them.

use crate::arguments::{PlaceArguments, UsersCommand};
use crate::ask::{AskError, Asked};
use crate::language::text;
use crate::output::say;
use serde_json::{Value, json};
use std::process::ExitCode;

/// Lists, adds, removes or chooses.
pub(crate) async fn run(command: UsersCommand, place: PlaceArguments) -> Result<ExitCode, AskError> {
    let asked = Asked::new(&place.cloud, place.data)?;
    match command {
        UsersCommand::List => print_users(&asked.ask("users/list", json!({})).await?),
        UsersCommand::Add { name, openid, password, email, phone } => {
            let user = json!({ "name": name, "openid": openid, "password": password, "email": email, "phone": phone });
            let user = asked.ask("users/add", user).await?;
            say(format_args!("{}  {}", field(&user, "name"), field(&user, "openid")));
        }
        UsersCommand::Remove { name } => drop(asked.ask("users/remove", json!({ "name": name })).await?),
        UsersCommand::Use { name } => {
            let user = asked.ask("users/use", json!({ "name": name })).await?;
            say(text!("user-chosen", name = field(&user, "name"), openid = field(&user, "openid")));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// `emulator outbox`: prints the messages, the newest last.
pub(crate) async fn outbox(place: PlaceArguments) -> Result<ExitCode, AskError> {
    let outbox = Asked::new(&place.cloud, place.data)?.ask("outbox", json!({})).await?;
    for message in outbox["messages"].as_array().map(Vec::as_slice).unwrap_or_default() {
        say(format_args!("{}  {}", field(message, "to"), field(message, "code")));
    }
    Ok(ExitCode::SUCCESS)
}

fn print_users(answer: &Value) {
    let users = answer["users"].as_array().map(Vec::as_slice).unwrap_or_default();
    let width = users.iter().map(|user| field(user, "name").chars().count()).max().unwrap_or_default();
    for user in users {
        let note = if user["default"] == json!(true) { format!("  {}", text!("user-default")) } else { String::new() };
        say(format_args!("{:width$}  {}{note}", field(user, "name"), field(user, "openid")));
    }
}

fn field<'a>(answer: &'a Value, name: &str) -> &'a str {
    answer[name].as_str().unwrap_or_default()
}
