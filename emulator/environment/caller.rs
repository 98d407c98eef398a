//! Who makes a request: the door it came through and the identity it proved there.

use crate::tokens::Login;

/// The door a request came through. It decides which rights a caller starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// `POST /admin`: the server SDKs. Administrators: no permission is checked (semantics §7.1).
    Admin,
    /// `/_emulator/*`: the emulator's own command line. Administrators too.
    Emulator,
    /// `POST /web` and the WebSocket: pages of a mini program or of the web. Users: permission modes hold.
    Web,
}

/// Who makes a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The door it came through.
    pub door: Door,
    /// The openid of the user, proved by an access token. `None` for administrators, and for whoever has not signed in.
    pub user: Option<String>,
    /// The environment the access token was minted for. `None` where `user` is, and for administrators.
    pub environment: Option<String>,
    /// How the user signed in; `None` where `user` is.
    pub(crate) login: Option<Login>,
    /// The session token found in the request, minted for one invocation of a function (protocol §7);
    /// it tells whose call the request belongs to. `None` outside functions.
    pub session_token: Option<String>,
}

impl Caller {
    /// An administrator, or nobody in particular, that came through `door` and sent `session_token`, if any.
    pub fn new(door: Door, session_token: Option<String>) -> Caller {
        Caller { door, user: None, environment: None, login: None, session_token }
    }

    /// A user of `environment`.
    pub(crate) fn of_user(environment: &str, openid: &str, login: Login) -> Caller {
        Caller {
            user: Some(openid.to_owned()),
            environment: Some(environment.to_owned()),
            login: Some(login),
            ..Caller::new(Door::Web, None)
        }
    }

    /// Whether no permission is checked.
    pub fn is_administrator(&self) -> bool {
        match self.door {
            Door::Admin | Door::Emulator => true,
            Door::Web => false,
        }
    }
}
