//! Tokens: what a page proves its user with (protocol §5.1, §5.2). JSON Web Tokens, signed with a key that comes from the data
//! folder's, so that they outlive a restart of the emulator; a session that was signed out is remembered until the emulator ends.
//!
//! ## Differences from the cloud
//! - An access key is read, never verified: any key that is not the emulator's own opens its environment to a visitor.

use crate::caller::{Caller, Door};
use crate::cloud::{Cloud, Environment, Shared};
use crate::error::{ActionError, codes};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use uuid::Uuid;

/// How long an access token holds, unless the settings say otherwise.
pub(crate) const ACCESS_LIFE_DEFAULT: Duration = Duration::from_secs(2 * 60 * 60);
/// How long a refresh token holds.
const REFRESH_LIFE: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How long the tokens hold that carry a sign-in of several steps from one to the next.
pub(crate) const STEP_LIFE: Duration = Duration::from_secs(10 * 60);

/// Who signs: tells the emulator's own tokens from access keys of the cloud.
const ISSUER: &str = "emulator";
/// What the data folder's key signs to give the key of tokens.
const KEY_PURPOSE: &str = "json web tokens";
/// Who comes with an access key instead of signing in.
const VISITOR: &str = "anonymous";

/// How a user signed in; as `auth.getUserInfo` spells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Login {
    /// Without an account: `signInAnonymously`, or an access key.
    Anonymous,
    /// With a ticket of the developer's own making.
    Custom,
    /// With a code sent to an e-mail address, or that address and a password.
    Email,
    /// With a code sent to a telephone, or its number and a password.
    Phone,
    /// With a name and a password.
    Username,
    /// As a mini program does.
    Wechat,
}

/// Who signed in, how, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignedIn {
    /// `None`: an administrator, who may watch too.
    pub(crate) openid: Option<String>,
    pub(crate) login: Login,
    /// Shared by all tokens that follow from one sign-in; signing out ends it.
    session: String,
}

/// An access token and how long it holds.
pub(crate) struct AccessToken {
    pub(crate) text: String,
    pub(crate) life: Duration,
}

/// What a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Access,
    Refresh,
    /// A sign-in with WeChat, after the first of its two steps; the subject is the openid.
    Provider,
    /// The password was just given; the subject is the openid.
    Sudo,
    /// A code was read where it was sent to; the subject is that address or number.
    Verification,
}

/// The sessions that were signed out in this run.
#[derive(Debug, Default)]
pub(crate) struct SignedOut {
    sessions: Mutex<HashSet<String>>,
}

/// Everything a token says.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    /// The environment.
    aud: String,
    sub: Option<String>,
    /// The same; some getters of js-sdk read this one.
    user_id: Option<String>,
    kind: Kind,
    login: Login,
    session: String,
    /// In seconds since 1970, with fractions, as `exp`.
    iat: f64,
    exp: f64,
}

impl SignedIn {
    /// A sign-in that has just happened.
    pub(crate) fn new(openid: Option<String>, login: Login) -> SignedIn {
        SignedIn { openid, login, session: Uuid::new_v4().simple().to_string() }
    }
}

impl Cloud {
    /// Whose access token, or signature for the WebSocket, `token` is; `None` for any that is not valid now. The caller's
    /// `environment` is the one it was minted for.
    pub fn caller_of_token(&self, token: &str) -> Option<Caller> {
        let claims = self.shared.claims(Kind::Access, token)?;
        (!claims.has_expired(&self.shared) && !claims.is_signed_out(&self.shared)).then(|| claims.caller())
    }

    /// The environment that the bearer of `token` means: the one its access token was minted for, or its access key names,
    /// whether they still hold or not; else the default one.
    pub fn environment_of_token(&self, token: Option<&str>) -> Result<Environment, ActionError> {
        let claims = token.and_then(|token| self.shared.claims(Kind::Access, token));
        let named = claims.map(|claims| claims.aud).or_else(|| token.and_then(access_key).and_then(project_of));
        self.environment(named.as_deref().unwrap_or_default())
    }
}

impl Environment {
    /// Who comes with `token` here and now: the user whose access token it is, or a visitor with an access key.
    pub(crate) fn user_of_access_token(&self, token: &str) -> Result<Caller, ActionError> {
        let Some(claims) = self.shared.claims(Kind::Access, token).filter(|claims| claims.aud == *self.name) else {
            return match access_key(token) {
                Some(_) => Ok(Caller::of_user(&self.name, VISITOR, Login::Anonymous)),
                None => Err(not_ours()),
            };
        };
        if claims.has_expired(&self.shared) {
            return Err(ActionError::new(codes::ACCESS_TOKEN_EXPIRED, "the access token has expired: refresh it"));
        }
        if claims.is_signed_out(&self.shared) {
            return Err(ActionError::login_failed("the access token was signed out"));
        }
        Ok(claims.caller())
    }

    /// Who may have a new access token for the refresh token `token`.
    pub(crate) fn refreshed(&self, token: &str) -> Result<SignedIn, ActionError> {
        let claims = self.shared.claims(Kind::Refresh, token);
        let claims = claims
            .filter(|claims| claims.aud == *self.name && !claims.is_signed_out(&self.shared))
            .ok_or_else(|| {
                let message = "the refresh token was not made by this emulator for this environment, or was signed out";
                ActionError::new(codes::INVALID_REFRESH_TOKEN, message)
            })?;
        if claims.has_expired(&self.shared) {
            return Err(ActionError::new(codes::REFRESH_TOKEN_EXPIRED, "the refresh token has expired: sign in again"));
        }
        Ok(SignedIn { openid: claims.sub, login: claims.login, session: claims.session })
    }

    /// A token that proves `who` to this environment.
    pub(crate) fn access_token(&self, who: &SignedIn) -> AccessToken {
        let life = self.shared.settings.access_token_life.unwrap_or(ACCESS_LIFE_DEFAULT);
        AccessToken { text: self.mint(Kind::Access, who, life), life }
    }

    /// A token that `who` may have access tokens for.
    pub(crate) fn refresh_token(&self, who: &SignedIn) -> String {
        self.mint(Kind::Refresh, who, REFRESH_LIFE)
    }

    /// A token that takes `subject` to the next step of a sign-in.
    pub(crate) fn step_token(&self, kind: Kind, subject: &str, login: Login) -> String {
        self.mint(kind, &SignedIn::new(Some(subject.to_owned()), login), STEP_LIFE)
    }

    /// The subject of a token of [`Environment::step_token`]; `None` where it does not hold.
    pub(crate) fn subject(&self, kind: Kind, token: &str) -> Option<String> {
        let claims = self.shared.claims(kind, token).filter(|claims| claims.aud == *self.name)?;
        if claims.has_expired(&self.shared) { None } else { claims.sub }
    }

    /// From now on every token of the session of `token`, an access or a refresh token, is worthless. One that is so already is
    /// no error.
    pub(crate) fn sign_out(&self, token: &str) {
        let claims = [Kind::Refresh, Kind::Access].into_iter().find_map(|kind| self.shared.claims(kind, token));
        if let Some(claims) = claims.filter(|claims| claims.aud == *self.name) {
            self.shared.signed_out.add(claims.session);
        }
    }

    fn mint(&self, kind: Kind, who: &SignedIn, life: Duration) -> String {
        let now = self.shared.now_seconds();
        let claims = Claims {
            iss: ISSUER.into(),
            aud: self.name.to_string(),
            sub: who.openid.clone(),
            user_id: who.openid.clone(),
            kind,
            login: who.login,
            session: who.session.clone(),
            iat: now,
            exp: now + life.as_secs_f64(),
        };
        let key = EncodingKey::from_secret(self.shared.token_key().as_bytes());
        // A struct of strings and numbers always has a JSON form.
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key).unwrap_or_default()
    }
}

impl Shared {
    /// What a token of this emulator's says, whether it still holds or not.
    fn claims(&self, kind: Kind, token: &str) -> Option<Claims> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        // `aud` and `exp` are looked at by the callers, each of which has an error of its own for them.
        (validation.validate_aud, validation.validate_exp) = (false, false);
        let key = DecodingKey::from_secret(self.token_key().as_bytes());
        let claims = jsonwebtoken::decode::<Claims>(token, &key, &validation).ok()?.claims;
        (claims.kind == kind).then_some(claims)
    }

    fn now_seconds(&self) -> f64 {
        self.clock.now_ms() as f64 / 1_000.0
    }

    fn token_key(&self) -> String {
        self.storage.sign(KEY_PURPOSE)
    }
}

impl Claims {
    fn caller(&self) -> Caller {
        match &self.sub {
            Some(openid) => Caller::of_user(&self.aud, openid, self.login),
            None => Caller { environment: Some(self.aud.clone()), ..Caller::new(Door::Admin, None) },
        }
    }

    fn has_expired(&self, shared: &Shared) -> bool {
        self.exp < shared.now_seconds()
    }

    fn is_signed_out(&self, shared: &Shared) -> bool {
        shared.signed_out.has(&self.session)
    }
}

impl SignedOut {
    fn add(&self, session: String) {
        self.lock().insert(session);
    }

    fn has(&self, session: &str) -> bool {
        self.lock().contains(session)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        // The set is whole after every operation, so a panic elsewhere cannot have left it half changed.
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an access key of the cloud says: a JSON Web Token of somebody else's.
fn access_key(token: &str) -> Option<Map<String, Value>> {
    let mut parts = token.split('.');
    let (_, claims, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else { return None };
    let claims: Map<String, Value> = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    (claims.get("iss").and_then(Value::as_str) != Some(ISSUER)).then_some(claims)
}

/// The environment that an access key was made for.
fn project_of(mut claims: Map<String, Value>) -> Option<String> {
    let mut text = |name: &str| match claims.remove(name) {
        Some(Value::String(text)) => Some(text),
        Some(_) | None => None,
    };
    text("project_id").or_else(|| text("aud"))
}

fn not_ours() -> ActionError {
    ActionError::login_failed("the access token was not made by this emulator for this environment")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn access_keys_name_their_environment() {
        let key = |claims: &str| format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims));
        let project = |claims: &str| access_key(&key(claims)).map(project_of);
        assert_eq!(project(r#"{"project_id":"p","aud":"a"}"#), Some(Some("p".to_owned())));
        assert_eq!(project(r#"{"aud":"a"}"#), Some(Some("a".to_owned())));
        assert_eq!(project(r#"{"aud":["a"]}"#), Some(None));
        assert_eq!(project("{}"), Some(None));
        assert_eq!(project(r#"{"iss":"emulator","aud":"a"}"#), None);
        for token in ["", "a", "a.b", "a.b.c", "e30.e30", "e30.e30.e30.e30", "e30.W10.e30"] {
            assert_eq!(access_key(token), None, "{token}");
        }
    }
}
