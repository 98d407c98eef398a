//! Access and refresh tokens: what a page proves its user with (protocol §5.1). Signed and self-contained, so that they outlive
//! a restart of the emulator; a refresh token that was signed out is remembered until the emulator ends.

use crate::caller::{Caller, Door};
use crate::cloud::{Cloud, Environment, Shared};
use crate::error::{ActionError, codes};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use uuid::Uuid;

/// How long an access token holds, unless the settings say otherwise.
pub(crate) const ACCESS_LIFE_DEFAULT: Duration = Duration::from_secs(2 * 60 * 60);
/// How long a refresh token holds.
const REFRESH_LIFE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How a user signed in; as `auth.getUserInfo` spells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Login {
    /// Without an account: js-sdk's `signInAnonymously`.
    Anonymous,
    /// With a ticket of the developer's own making.
    Custom,
    /// As a mini program does.
    Wechat,
}

/// Who signed in, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SignedIn {
    /// `None`: an administrator, who may watch too.
    pub(crate) openid: Option<String>,
    pub(crate) login: Login,
}

/// An access token and how long it holds.
pub(crate) struct AccessToken {
    pub(crate) text: String,
    pub(crate) life: Duration,
}

/// The refresh tokens that were signed out in this run, by their ids.
#[derive(Debug, Default)]
pub(crate) struct SignedOut {
    ids: Mutex<HashSet<String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Access,
    Refresh,
}

/// Everything a token says.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    kind: Kind,
    environment: String,
    #[serde(flatten)]
    who: SignedIn,
    expires_ms: i64,
    id: String,
}

impl Cloud {
    /// Whose access token, or signature for the WebSocket, `token` is; `None` for any that is not valid now. The caller's
    /// `environment` is the one it was minted for.
    pub fn caller_of_token(&self, token: &str) -> Option<Caller> {
        let claims = self.shared.claims(Kind::Access, token)?;
        if claims.expires_ms < self.shared.clock.now_ms() {
            return None;
        }
        Some(claims.caller())
    }
}

impl Environment {
    /// Whose access token `token` is, here and now.
    pub(crate) fn user_of_access_token(&self, token: &str) -> Result<Caller, ActionError> {
        let claims = self.shared.claims(Kind::Access, token);
        let claims = claims.filter(|claims| claims.environment == *self.name).ok_or_else(|| {
            ActionError::login_failed("the access token was not made by this emulator for this environment")
        })?;
        if claims.expires_ms < self.shared.clock.now_ms() {
            return Err(ActionError::new(codes::ACCESS_TOKEN_EXPIRED, "the access token has expired: refresh it"));
        }
        Ok(claims.caller())
    }

    /// Who may have a new access token for the refresh token `token`.
    pub(crate) fn refreshed(&self, token: &str) -> Result<SignedIn, ActionError> {
        let claims = self.shared.claims(Kind::Refresh, token);
        let claims = claims
            .filter(|claims| claims.environment == *self.name && !self.shared.signed_out.has(&claims.id))
            .ok_or_else(|| {
                let message = "the refresh token was not made by this emulator for this environment, or was signed out";
                ActionError::new(codes::INVALID_REFRESH_TOKEN, message)
            })?;
        if claims.expires_ms < self.shared.clock.now_ms() {
            return Err(ActionError::new(codes::REFRESH_TOKEN_EXPIRED, "the refresh token has expired: sign in again"));
        }
        Ok(claims.who)
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

    /// From now on the refresh token `token` is worthless. One that is so already is no error.
    pub(crate) fn sign_out(&self, token: &str) {
        if let Some(claims) = self.shared.claims(Kind::Refresh, token) {
            self.shared.signed_out.add(claims.id);
        }
    }

    fn mint(&self, kind: Kind, who: &SignedIn, life: Duration) -> String {
        let life_ms = i64::try_from(life.as_millis()).unwrap_or(i64::MAX);
        let claims = Claims {
            kind,
            environment: self.name.to_string(),
            who: who.clone(),
            expires_ms: self.shared.clock.now_ms().saturating_add(life_ms),
            id: Uuid::new_v4().simple().to_string(),
        };
        // A struct of strings and numbers always has a JSON form.
        let body = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&claims).unwrap_or_default());
        let signature = self.shared.storage.sign(&signed_text(&body));
        format!("{body}.{signature}")
    }
}

impl Shared {
    /// What a token of this emulator's says, whether it still holds or not.
    fn claims(&self, kind: Kind, token: &str) -> Option<Claims> {
        let (body, signature) = token.split_once('.')?;
        if !self.storage.verify(&signed_text(body), signature) {
            return None;
        }
        let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).ok()?).ok()?;
        (claims.kind == kind).then_some(claims)
    }
}

impl Claims {
    fn caller(&self) -> Caller {
        match &self.who.openid {
            Some(openid) => Caller::of_user(&self.environment, openid, self.who.login),
            None => Caller { environment: Some(self.environment.clone()), ..Caller::new(Door::Admin, None) },
        }
    }
}

impl SignedOut {
    fn add(&self, id: String) {
        self.lock().insert(id);
    }

    fn has(&self, id: &str) -> bool {
        self.lock().contains(id)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        // The set is whole after every operation, so a panic elsewhere cannot have left it half changed.
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is signed of a token: not its body alone, so that nothing else that is signed here can be taken for one.
fn signed_text(body: &str) -> String {
    format!("token {body}")
}
