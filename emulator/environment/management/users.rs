//! Users, and the messages that were sent to them.

use super::{NameParams, NoParams};
use crate::accounts::Address;
use crate::cloud::Environment;
use crate::error::ActionError;
use crate::register::Entry;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewUserParams {
    name: String,
    openid: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    password: Option<String>,
}

impl Environment {
    pub(super) fn list_users(&self, NoParams {}: NoParams) -> Result<Value, ActionError> {
        let entries = self.register.entries();
        let default = entries.default_user();
        let known = if entries.users().is_empty() { std::slice::from_ref(&default) } else { entries.users() };
        let users: Vec<Value> = known
            .iter()
            .map(|user| json!({ "name": user.name, "openid": user.openid, "default": *user == default }))
            .collect();
        Ok(json!({ "users": users }))
    }

    pub(super) async fn add_user(&self, params: NewUserParams) -> Result<Value, ActionError> {
        let NewUserParams { name, openid, email, phone, password } = params;
        let email = email.as_deref().map(Address::email).transpose()?;
        let phone = phone.as_deref().map(Address::phone).transpose()?;
        let addresses = [email, phone].into_iter().flatten();
        let user = self.new_account(Some(&name), openid.as_deref(), addresses, password.as_deref()).await?;
        Ok(json!({ "name": user.name, "openid": user.openid }))
    }

    pub(super) async fn remove_user(&self, NameParams { name }: NameParams) -> Result<Value, ActionError> {
        if self.register.remove_user(&name).await? { Ok(json!({})) } else { Err(self.no_such_user(&name)) }
    }

    pub(super) async fn use_user(&self, NameParams { name }: NameParams) -> Result<Value, ActionError> {
        let entries = self.register.entries();
        let user = entries.user(&name).ok_or_else(|| self.no_such_user(&name))?;
        self.register.put(Entry::DefaultUser(name)).await?;
        Ok(json!({ "name": user.name, "openid": user.openid }))
    }

    fn no_such_user(&self, name: &str) -> ActionError {
        let entries = self.register.entries();
        let names: Vec<&str> = entries.users().iter().map(|user| user.name.as_str()).collect();
        let known = if names.is_empty() { "nobody".to_owned() } else { names.join(", ") };
        ActionError::invalid_param(format!(
            "there is no user `{name}` in the environment `{}`: it knows {known}",
            self.name
        ))
    }

    pub(super) fn list_outbox(&self, NoParams {}: NoParams) -> Result<Value, ActionError> {
        Ok(self.outbox())
    }
}
