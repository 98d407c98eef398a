//! Who makes a request: the door it came through and the identity it proved there.

/// The door a request came through. It decides which rights a caller starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// `POST /admin`: the server SDKs. Administrators: no permission is checked (semantics §7.1).
    Admin,
    /// `/_emulator/*`: the emulator's own command line.
    Emulator,
}

/// Who makes a request.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The door it came through.
    pub door: Door,
    /// The session token found in the request, minted for one invocation of a function (protocol §7);
    /// it tells whose call the request belongs to. `None` outside functions.
    pub session_token: Option<String>,
}

impl Caller {
    /// A caller that came through `door` and sent `session_token`, if any.
    pub fn new(door: Door, session_token: Option<String>) -> Caller {
        Caller { door, session_token }
    }
}
