//! Whose call a function works for, and the tokens that carry that on: one is minted for each invocation, the SDK in the
//! function sends it with every request, and it is worthless once the invocation has ended (protocol §7).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// On whose behalf a function runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The mini program user; `None` for servers, the console and timers (semantics FN-05).
    pub(crate) openid: Option<String>,
    /// `SOURCE` of `getWXContext()`: a chain such as `wx_client,scf` (semantics FN-04).
    pub(crate) source: String,
}

impl Identity {
    /// A mini program user who calls.
    pub(crate) fn user(openid: &str) -> Identity {
        Identity { openid: Some(openid.to_owned()), source: "wx_client".into() }
    }

    /// A server that calls with the environment's own keys.
    pub(crate) fn server() -> Identity {
        Identity { openid: None, source: "scf".into() }
    }

    /// The same caller, seen by a function that another function calls (semantics FN-06).
    pub(crate) fn through_function(&self) -> Identity {
        Identity { openid: self.openid.clone(), source: format!("{},scf", self.source) }
    }
}

/// The tokens of the invocations that run now.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sessions {
    /// By token.
    live: Arc<Mutex<HashMap<String, Running>>>,
}

/// An invocation that runs.
#[derive(Debug)]
struct Running {
    identity: Identity,
    environment: Arc<str>,
}

/// A token that is known for as long as this value lives.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) token: String,
    sessions: Sessions,
}

impl Sessions {
    /// Mints a token that stands for `identity` in `environment` until the session is dropped.
    pub(crate) fn start(&self, identity: Identity, environment: Arc<str>) -> Session {
        let token = Uuid::new_v4().simple().to_string();
        self.lock().insert(token.clone(), Running { identity, environment });
        Session { token, sessions: self.clone() }
    }

    /// Whose call `token` belongs to, while that call runs.
    pub(crate) fn identity(&self, token: &str) -> Option<Identity> {
        self.lock().get(token).map(|running| running.identity.clone())
    }

    /// The environment that the function of `token` runs in, while that call runs.
    pub(crate) fn environment(&self, token: &str) -> Option<Arc<str>> {
        self.lock().get(token).map(|running| running.environment.clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Running>> {
        // The map is whole after every operation, so a panic elsewhere cannot have left it half changed.
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.sessions.lock().remove(&self.token);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_stands_for_its_caller_until_the_call_ends() {
        let sessions = Sessions::default();
        let session = sessions.start(Identity::user("alice"), "cloud1".into());
        let token = session.token.clone();
        assert_eq!(sessions.identity(&token), Some(Identity::user("alice")));
        drop(session);
        assert_eq!(sessions.identity(&token), None);
    }

    #[test]
    fn a_function_called_by_a_function_keeps_the_user() {
        let inner = Identity::user("alice").through_function();
        assert_eq!(inner.openid.as_deref(), Some("alice"));
        assert_eq!(inner.source, "wx_client,scf");
    }
}
