//! Signing in and out, and what follows from it (protocol §2.8, §5.1): the `auth.*` actions of js-sdk 1.x, `emulator.signIn` of
//! our mini-program client, and the signature that opens the WebSocket. js-sdk 2.x and 3.x sign in by `oauth.rs`.
//!
//! ## Differences from the cloud
//! - A `wx.login` code is compared with the names of the environment's users; there is nobody to ask what it stands for.
//! - Tickets of the developer's own making are read, never verified: there is no key to verify them with.
//! - An e-mail address that signs up needs no activation.

use super::params::Params;
use crate::accounts::Address;
use crate::caller::{Caller, Door};
use crate::cloud::{Environment, Reply};
use crate::error::ActionError;
use crate::register;
use crate::tokens::{Login, SignedIn};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// What stands between the id of the key and the token in a ticket (protocol §5.2).
const TICKET_SEPARATOR: &str = "/@@/";
/// How long the name of a user in a ticket may be, in characters (protocol §5.2).
const TICKET_UID_LENGTH: std::ops::RangeInclusive<usize> = 4..=32;

/// What a ticket says; times in milliseconds since 1970.
#[derive(Debug, Deserialize)]
struct Ticket {
    uid: String,
    env: Option<String>,
    exp: Option<f64>,
}

/// `emulator.signIn`: as the user whose name the code is, else as the one the client kept, else as the default one.
pub(crate) fn sign_in(environment: &Environment, params: &Params) -> Result<Reply, ActionError> {
    let entries = environment.register.entries();
    let named = params.optional_text("code")?.and_then(|code| entries.user(code));
    let openid = match (named, params.optional_text("openid")?) {
        (Some(user), _) => user.openid.clone(),
        (None, Some(kept)) if register::is_openid(kept) => kept.to_owned(),
        (None, Some(kept)) => return Err(ActionError::invalid_param(format!("`{kept}` is no openid"))),
        (None, None) => entries.default_user().openid,
    };
    let who = SignedIn::new(Some(openid.clone()), Login::Wechat);
    let token = environment.access_token(&who);
    Ok(Reply::Data(json!({
        "access_token": token.text,
        "access_token_expire": milliseconds(token.life),
        "openid": openid,
        "appid": environment.shared.settings.appid,
        "env": &*environment.name,
    })))
}

/// `auth.signInAnonymously`: as the anonymous user that the client was before, or as a new one.
pub(crate) fn sign_in_anonymously(environment: &Environment, params: &Params) -> Result<Reply, ActionError> {
    let known = params.optional_text("anonymous_uuid")?.filter(|uuid| register::is_openid(uuid));
    let uuid = known.map_or_else(|| Uuid::new_v4().simple().to_string(), str::to_owned);
    let who = SignedIn::new(Some(uuid.clone()), Login::Anonymous);
    top_level([("uuid", json!(uuid)), ("refresh_token", json!(environment.refresh_token(&who)))])
}

/// `auth.signInWithTicket`.
pub(crate) fn sign_in_with_ticket(environment: &Environment, params: &Params) -> Result<Reply, ActionError> {
    let who = ticket_holder(environment, params.text("ticket")?)?;
    top_level([("refresh_token", json!(environment.refresh_token(&who)))])
}

/// Whom a ticket of the developer's own making signs in.
pub(crate) fn ticket_holder(environment: &Environment, ticket: &str) -> Result<SignedIn, ActionError> {
    let bad = |reason: &str| ActionError::invalid_param(format!("ticket: {reason}"));
    let ticket = read_ticket(ticket).ok_or_else(|| bad("not what auth().createTicket makes"))?;
    if !TICKET_UID_LENGTH.contains(&ticket.uid.chars().count()) {
        return Err(bad("its uid must have 4 to 32 characters"));
    }
    if ticket.env.as_deref().is_some_and(|env| *env != *environment.name) {
        return Err(bad("it was made for another environment"));
    }
    if ticket.exp.is_some_and(|exp| exp < environment.shared.clock.now_ms() as f64) {
        return Err(bad("it has expired"));
    }
    Ok(SignedIn::new(Some(ticket.uid), Login::Custom))
}

/// `auth.signIn`: with a name, an e-mail address or a telephone number and a password, or with a code sent to the telephone.
pub(crate) async fn sign_in_with_account(environment: &Environment, params: &Params) -> Result<Reply, ActionError> {
    let who = match (params.optional_text("phoneNumber")?, params.optional_text("phoneCode")?) {
        (Some(number), Some(code)) => sign_in_with_phone_code(environment, params, number, code).await?,
        (phone, _) => {
            let named = params.optional_text("username")?.or(params.optional_text("email")?).or(phone);
            let identifier = named.ok_or_else(|| ActionError::param_missing("username"))?;
            environment.sign_in_with_password(identifier, params.text("password")?).await?
        }
    };
    let token = environment.access_token(&who);
    top_level([
        ("refresh_token", json!(environment.refresh_token(&who))),
        ("access_token", json!(token.text)),
        ("access_token_expire", milliseconds(token.life)),
    ])
}

/// Whoever the number belongs to; a new user where it is nobody's.
async fn sign_in_with_phone_code(
    environment: &Environment,
    params: &Params,
    number: &str,
    code: &str,
) -> Result<SignedIn, ActionError> {
    let address = Address::phone(number)?;
    environment.check_code_sent_to(&address, code)?;
    let user = match environment.account(address.text()) {
        Some((user, _)) => user,
        None => environment.new_account(None, None, [address], params.optional_text("password")?).await?,
    };
    Ok(SignedIn::new(Some(user.openid), Login::Phone))
}

/// `auth.signUpWithEmailAndPassword`.
pub(crate) async fn sign_up_with_email(environment: &Environment, params: &Params) -> Result<Reply, ActionError> {
    let address = Address::email(params.text("email")?)?;
    environment.new_account(None, None, [address], Some(params.text("password")?)).await?;
    Ok(Reply::Data(json!({})))
}

/// `auth.isUsernameRegistered`.
pub(crate) fn is_username_registered(environment: &Environment, params: &Params) -> Result<Reply, ActionError> {
    let is_registered = environment.account(params.text("username")?).is_some();
    Ok(Reply::Data(json!({ "isRegistered": is_registered })))
}

/// `auth.sendPhoneCode`.
pub(crate) fn send_phone_code(environment: &Environment, params: &Params) -> Result<Reply, ActionError> {
    environment.send_code(Address::phone(params.text("phoneNumber")?)?);
    Ok(Reply::Data(json!({ "SendStatus": "Ok" })))
}

/// `auth.fetchAccessTokenWithRefreshToken`.
pub(crate) fn refresh(environment: &Environment, params: &Params) -> Result<Reply, ActionError> {
    let who = environment.refreshed(params.text("refresh_token")?)?;
    let token = environment.access_token(&who);
    let mut fields = vec![("access_token", json!(token.text)), ("access_token_expire", milliseconds(token.life))];
    if who.login == Login::Anonymous {
        fields.push(("anonymous_uuid", json!(who.openid)));
    }
    top_level(fields)
}

/// `auth.logout`.
pub(crate) fn sign_out(environment: &Environment, params: &Params) -> Result<Reply, ActionError> {
    if let Some(token) = params.optional_text("refresh_token")? {
        environment.sign_out(token);
    }
    Ok(Reply::Data(json!({})))
}

/// `auth.getUserInfo`.
pub(crate) fn user_info(environment: &Environment, caller: &Caller) -> Result<Reply, ActionError> {
    let (Some(user), Some(login)) = (&caller.user, caller.login) else {
        return Err(ActionError::login_failed("nobody is signed in: servers ask by auth.getUserInfoForAdmin"));
    };
    let openid = if login == Login::Wechat { user.as_str() } else { "" };
    let custom = if login == Login::Custom { user.as_str() } else { "" };
    let account = environment.user_of_openid(user).unwrap_or_default();
    Ok(Reply::Data(json!({
        "uid": user,
        "loginType": login,
        "openid": openid,
        "customUserId": custom,
        "username": account.name,
        "email": account.email.unwrap_or_default(),
        "phone": account.phone.unwrap_or_default(),
        "nickName": "",
        "avatarUrl": "",
    })))
}

/// `auth.wsWebSign`: the WebSocket's address and what proves the caller there.
pub(crate) fn web_socket(environment: &Environment, caller: &Caller) -> Reply {
    let login = match caller.door {
        Door::Web => caller.login.unwrap_or(Login::Wechat),
        Door::Admin | Door::Emulator => Login::Custom,
    };
    let who = SignedIn::new(caller.user.clone(), login);
    Reply::Data(json!({
        "signStr": environment.access_token(&who).text,
        "wsUrl": format!("{}/ws", environment.base_url().replacen("http", "ws", 1)),
        "secretVersion": 1,
        "envId": &*environment.name,
    }))
}

fn read_ticket(text: &str) -> Option<Ticket> {
    let (_, token) = text.split_once(TICKET_SEPARATOR)?;
    let claims = token.split('.').nth(1)?.trim_end_matches('=');
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

fn top_level(fields: impl IntoIterator<Item = (&'static str, Value)>) -> Result<Reply, ActionError> {
    let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value));
    Ok(Reply::TopLevel(Map::from_iter(fields)))
}

fn milliseconds(duration: std::time::Duration) -> Value {
    json!(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn a_ticket_is_read_without_its_key() {
        let claims = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","env":"e","iat":1,"exp":5,"uid":"user-1","refresh":1}"#);
        let ticket = read_ticket(&format!("key-id/@@/head.{claims}.signature")).unwrap();
        assert_eq!((ticket.uid.as_str(), ticket.env.as_deref(), ticket.exp), ("user-1", Some("e"), Some(5.0)));
        for text in ["", "key-id", "key-id/@@/", "key-id/@@/a.b.c", &format!("head.{claims}.signature")] {
            assert!(read_ticket(text).is_none(), "{text}");
        }
    }
}
