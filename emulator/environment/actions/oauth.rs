//! Signing in as js-sdk 2.x and 3.x do, by `/auth/v1/*` (protocol §5.2): the `oauth.*` actions. Replies are whole bodies: no
//! envelope, and never a field `error` or `code`.
//!
//! ## Differences from the cloud
//! - Codes are sent to the emulator's outbox; captchas are never asked for.
//! - Who signs in anonymously again is somebody new.

use super::auth::ticket_holder;
use super::params::Params;
use crate::accounts::{Address, no_account};
use crate::caller::Caller;
use crate::cloud::{Environment, Reply};
use crate::error::{ActionError, codes};
use crate::register::User;
use crate::tokens::{Kind, Login, STEP_LIFE, SignedIn};
use serde_json::{Value, json};
use uuid::Uuid;

/// What stands in front of the id of a mini program or another application of WeChat's.
const WECHAT_APP: &str = "wx";

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    CheckCode,
    CheckPassword,
    DoesUserExist,
    GrantProviderToken,
    Refresh,
    ResetPassword,
    Revoke,
    SendCode,
    SetPassword,
    SignIn,
    SignInAnonymously,
    SignInWithProvider,
    SignInWithTicket,
    SignOut,
    SignUp,
    User,
}

impl Verb {
    /// Whether somebody may ask for it who has not signed in.
    pub(crate) fn is_for_strangers(self) -> bool {
        match self {
            Verb::CheckCode
            | Verb::DoesUserExist
            | Verb::GrantProviderToken
            | Verb::Refresh
            | Verb::ResetPassword
            | Verb::Revoke
            | Verb::SendCode
            | Verb::SignIn
            | Verb::SignInAnonymously
            | Verb::SignInWithProvider
            | Verb::SignInWithTicket
            | Verb::SignOut
            | Verb::SignUp => true,
            Verb::CheckPassword | Verb::SetPassword | Verb::User => false,
        }
    }
}

/// Does what `verb` says.
pub(crate) async fn call(
    environment: &Environment,
    caller: &Caller,
    verb: Verb,
    params: &Params,
) -> Result<Reply, ActionError> {
    let body = match verb {
        Verb::CheckCode => check_code(environment, params),
        Verb::CheckPassword => check_password(environment, caller, params).await,
        Verb::DoesUserExist => Ok(json!({ "exist": environment.account(params.text("username")?).is_some() })),
        Verb::GrantProviderToken => grant_provider_token(environment, params),
        Verb::Refresh => refresh(environment, params),
        Verb::ResetPassword => reset_password(environment, params).await,
        Verb::Revoke | Verb::SignOut => {
            environment.sign_out(params.optional_text("token")?.unwrap_or_default());
            Ok(json!({}))
        }
        Verb::SendCode => send_code(environment, params),
        Verb::SetPassword => set_password(environment, caller, params).await,
        Verb::SignIn => sign_in(environment, params).await,
        Verb::SignInAnonymously => sign_in_anonymously(environment, params),
        Verb::SignInWithProvider => sign_in_with_provider(environment, params),
        Verb::SignInWithTicket => Ok(credentials(environment, &ticket_holder(environment, params.text("ticket")?)?)),
        Verb::SignUp => sign_up(environment, params).await,
        Verb::User => user(environment, caller),
    };
    Ok(Reply::Data(body?))
}

/// What an SDK keeps of a sign-in.
fn credentials(environment: &Environment, who: &SignedIn) -> Value {
    credentials_with(environment, who, &environment.refresh_token(who))
}

fn credentials_with(environment: &Environment, who: &SignedIn, refresh_token: &str) -> Value {
    let token = environment.access_token(who);
    json!({
        "token_type": "Bearer",
        "access_token": token.text,
        "refresh_token": refresh_token,
        // An SDK takes no time at all for no sign-in.
        "expires_in": token.life.as_secs().max(1),
        "scope": if who.login == Login::Anonymous { "anonymous" } else { "user" },
        "sub": who.openid,
        "groups": [],
    })
}

/// `POST signin/anonymously`: as somebody new or, after a first step with WeChat, as the user it found.
fn sign_in_anonymously(environment: &Environment, params: &Params) -> Result<Value, ActionError> {
    let openid = match params.optional_text("provider_token")? {
        Some(token) => subject(environment, Kind::Provider, token)?,
        None => Uuid::new_v4().simple().to_string(),
    };
    Ok(credentials(environment, &SignedIn::new(Some(openid), Login::Anonymous)))
}

/// `POST provider/token`: the user whose name the `wx.login` code is, else the default one.
fn grant_provider_token(environment: &Environment, params: &Params) -> Result<Value, ActionError> {
    let provider = params.text("provider_id")?;
    let appid = &environment.shared.settings.appid;
    if provider != appid && !provider.starts_with(WECHAT_APP) {
        return Err(ActionError::unsupported(&format!("signing in with the provider `{provider}`")));
    }
    if params.text_within("provider_params", "provider_code_type")? == Some("phone") {
        return Err(ActionError::unsupported("signing in with the telephone number of a WeChat account"));
    }
    let entries = environment.register.entries();
    let named = params.optional_text("provider_code")?.and_then(|code| entries.user(code)).cloned();
    let openid = named.unwrap_or_else(|| entries.default_user()).openid;
    let token = environment.step_token(Kind::Provider, &openid, Login::Wechat);
    Ok(json!({ "provider_token": token, "expires_in": STEP_LIFE.as_secs() }))
}

/// `POST signin/with/provider`.
fn sign_in_with_provider(environment: &Environment, params: &Params) -> Result<Value, ActionError> {
    let openid = subject(environment, Kind::Provider, params.text("provider_token")?)?;
    Ok(credentials(environment, &SignedIn::new(Some(openid), Login::Wechat)))
}

/// `POST signin`: a name, an e-mail address or a telephone number, proved by a password or by a code that was read.
async fn sign_in(environment: &Environment, params: &Params) -> Result<Value, ActionError> {
    if params.has("params") {
        return Err(ActionError::unsupported("encrypted parameters (isEncrypt)"));
    }
    let identifier = params.text("username")?;
    let who = match params.optional_text("verification_token")? {
        Some(token) => {
            let address = verified(environment, token)?;
            let (user, login) = environment.account(identifier).ok_or_else(|| no_account(identifier))?;
            if !address.is_of(&user) {
                return Err(ActionError::invalid_param(format!(
                    "the code was sent to {}, not to them",
                    address.text()
                )));
            }
            SignedIn::new(Some(user.openid), login)
        }
        None => environment.sign_in_with_password(identifier, params.text("password")?).await?,
    };
    Ok(credentials(environment, &who))
}

/// `POST signup`: a user with the address that the verification proved.
async fn sign_up(environment: &Environment, params: &Params) -> Result<Value, ActionError> {
    let address = verified(environment, params.text("verification_token")?)?;
    let login = address.login();
    let named = params.optional_text("email")?.or(params.optional_text("phone_number")?);
    if named.is_some_and(|named| Address::parse(named).ok().as_ref() != Some(&address)) {
        return Err(ActionError::invalid_param(format!("the code was sent to {}", address.text())));
    }
    let (name, password) = (params.optional_text("username")?, params.optional_text("password")?);
    let user = environment.new_account(name, None, [address], password).await?;
    Ok(credentials(environment, &SignedIn::new(Some(user.openid), login)))
}

/// `POST verification`.
fn send_code(environment: &Environment, params: &Params) -> Result<Value, ActionError> {
    let address = match (params.optional_text("email")?, params.optional_text("phone_number")?) {
        (Some(email), _) => Address::email(email)?,
        (None, Some(phone)) => Address::phone(phone)?,
        (None, None) => return Err(ActionError::param_missing("email or phone_number")),
    };
    let is_user = environment.account(address.text()).is_some();
    match params.optional_text("target")? {
        Some("USER") if !is_user => return Err(no_account(address.text())),
        Some("NOT_USER") if is_user => {
            let message = format!("{} is a user's already", address.text());
            return Err(ActionError::new(codes::ALREADY_EXISTS, message));
        }
        Some(_) | None => {}
    }
    let verification = environment.send_code(address);
    Ok(json!({ "verification_id": verification, "expires_in": STEP_LIFE.as_secs(), "is_user": is_user }))
}

/// `POST verification/verify`.
fn check_code(environment: &Environment, params: &Params) -> Result<Value, ActionError> {
    let address = environment.check_code(params.text("verification_id")?, params.text("verification_code")?)?;
    let token = environment.step_token(Kind::Verification, address.text(), address.login());
    Ok(json!({ "verification_token": token, "expires_in": STEP_LIFE.as_secs() }))
}

/// `POST token`.
fn refresh(environment: &Environment, params: &Params) -> Result<Value, ActionError> {
    match params.optional_text("grant_type")? {
        Some("refresh_token") | None => {}
        Some(other) => return Err(ActionError::unsupported(&format!("grant_type {other}"))),
    }
    let refresh_token = params.text("refresh_token")?;
    Ok(credentials_with(environment, &environment.refreshed(refresh_token)?, refresh_token))
}

/// `POST user/sudo`: the password once more, before something that needs it.
async fn check_password(environment: &Environment, caller: &Caller, params: &Params) -> Result<Value, ActionError> {
    let user = account_of(environment, caller)?;
    match params.optional_text("verification_token")? {
        Some(token) if verified(environment, token)?.is_of(&user) => {}
        Some(_) => return Err(ActionError::invalid_param("the code was sent to somebody else")),
        None => environment.check_password(&user, params.text("password")?).await?,
    }
    let token = environment.step_token(Kind::Sudo, &user.openid, Login::Username);
    Ok(json!({ "sudo_token": token, "expires_in": STEP_LIFE.as_secs() }))
}

/// `PATCH user/password`: whoever has none yet may give themselves one.
async fn set_password(environment: &Environment, caller: &Caller, params: &Params) -> Result<Value, ActionError> {
    let user = account_of(environment, caller)?;
    let may = match params.optional_text("sudo_token")? {
        Some(token) => environment.subject(Kind::Sudo, token).as_ref() == Some(&user.openid),
        None => user.password.is_none(),
    };
    if !may {
        return Err(ActionError::invalid_param("sudo_token: ask for one with the old password"));
    }
    environment.set_password(user, params.text("new_password")?).await?;
    Ok(json!({}))
}

/// `POST reset`: whoever reads the code may set the password.
async fn reset_password(environment: &Environment, params: &Params) -> Result<Value, ActionError> {
    let address = verified(environment, params.text("verification_token")?)?;
    let (user, _) = environment.account(address.text()).ok_or_else(|| no_account(address.text()))?;
    environment.set_password(user, params.text("new_password")?).await?;
    Ok(json!({}))
}

/// `GET user/me`.
fn user(environment: &Environment, caller: &Caller) -> Result<Value, ActionError> {
    let (Some(openid), Some(login)) = (&caller.user, caller.login) else {
        return Err(ActionError::login_failed("nobody is signed in"));
    };
    let user = environment.user_of_openid(openid);
    let name = match (&user, login) {
        (_, Login::Anonymous) => "anonymous",
        (Some(user), _) => user.name.as_str(),
        (None, _) => "",
    };
    let providers = match login {
        Login::Wechat => json!([{ "id": environment.shared.settings.appid, "provider_user_id": openid }]),
        Login::Anonymous | Login::Custom | Login::Email | Login::Phone | Login::Username => json!([]),
    };
    Ok(json!({
        "sub": openid,
        "user_id": openid,
        "name": name,
        "username": user.as_ref().map(|user| &user.name),
        "email": user.as_ref().and_then(|user| user.email.as_ref()),
        "phone_number": user.as_ref().and_then(|user| user.phone.as_ref()),
        "providers": providers,
        "created_from": "",
        "groups": [],
        "status": "ACTIVE",
        "internal_user_type": "",
    }))
}

/// The user of the register who signed in.
fn account_of(environment: &Environment, caller: &Caller) -> Result<User, ActionError> {
    let user = caller.user.as_deref().and_then(|openid| environment.user_of_openid(openid));
    user.ok_or_else(|| ActionError::new(codes::NOT_FOUND, "whoever signed in has no account: sign up first"))
}

/// Where the code was read that `token` followed on.
fn verified(environment: &Environment, token: &str) -> Result<Address, ActionError> {
    Address::parse(&subject(environment, Kind::Verification, token)?)
}

fn subject(environment: &Environment, kind: Kind, token: &str) -> Result<String, ActionError> {
    let expired =
        || ActionError::invalid_param("the token of the step before was not made by this emulator, or has expired");
    environment.subject(kind, token).ok_or_else(expired)
}
