//! Path → endpoint: a table, and a second one of the doors that are known and not there yet. Says nothing of what an
//! endpoint does; which host names may be used is told here and checked by `guard.rs`.

use crate::guard::Audience;

/// The doors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Admin,
    Auth,
    Download,
    Emulator,
    Home,
    Ready,
    Realtime,
    Rest,
    Upload,
    Web,
}

/// One row of the table.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// The whole path or, when it ends in `/` and is longer than that, its beginning.
    pub(crate) path: &'static str,
    pub(crate) endpoint: Endpoint,
    pub(crate) methods: &'static [&'static str],
    pub(crate) audience: Audience,
}

/// Every door, sorted by path.
pub(crate) const DOORS: &[Row] = &[
    Row { path: "/", endpoint: Endpoint::Home, methods: &["GET", "HEAD"], audience: Audience::Loopback },
    Row { path: "/_emulator/", endpoint: Endpoint::Emulator, methods: &["GET", "POST"], audience: Audience::Loopback },
    Row { path: "/admin", endpoint: Endpoint::Admin, methods: &["POST"], audience: Audience::LoopbackAndCloud },
    Row {
        path: "/auth/v1/",
        endpoint: Endpoint::Auth,
        methods: &["DELETE", "GET", "PATCH", "POST"],
        audience: Audience::Loopback,
    },
    Row {
        path: "/files/download/",
        endpoint: Endpoint::Download,
        methods: &["GET", "HEAD"],
        audience: Audience::Loopback,
    },
    Row { path: "/files/upload/", endpoint: Endpoint::Upload, methods: &["POST", "PUT"], audience: Audience::Loopback },
    Row { path: "/readyz", endpoint: Endpoint::Ready, methods: &["GET", "HEAD"], audience: Audience::Loopback },
    Row {
        path: "/v1/",
        endpoint: Endpoint::Rest,
        methods: &["DELETE", "GET", "PATCH", "POST", "PUT"],
        audience: Audience::Loopback,
    },
    Row { path: "/web", endpoint: Endpoint::Web, methods: &["POST"], audience: Audience::Loopback },
    Row { path: "/ws", endpoint: Endpoint::Realtime, methods: &["GET"], audience: Audience::Loopback },
];

/// Doors of the cloud that the emulator does not have, sorted; each with everything below it.
pub(crate) const DOORS_UNSUPPORTED: &[&str] = &["/auth/v2"];

/// Where a path leads.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    /// To a door; `rest` is what follows the row's path: a ticket, a link, a command. Empty for a whole path.
    Open { row: &'static Row, rest: &'a str },
    /// To a door of the second table.
    Unsupported(&'static str),
    /// Nowhere.
    Unknown(&'a str),
}

impl Route<'_> {
    /// What a log may say of it: never a ticket or a link.
    pub(crate) fn name(&self) -> &str {
        match self {
            Route::Open { row, .. } => row.path,
            Route::Unsupported(door) => door,
            Route::Unknown(path) => path,
        }
    }

    /// The methods it takes; none where there is no door.
    pub(crate) fn methods(&self) -> &'static [&'static str] {
        match self {
            Route::Open { row, .. } => row.methods,
            Route::Unsupported(_) | Route::Unknown(_) => &[],
        }
    }

    /// Whether pages of an origin of the developer's choice may go there.
    pub(crate) fn is_for_pages(&self) -> bool {
        match self {
            Route::Open { row, .. } => row.endpoint.is_for_pages(),
            Route::Unsupported(_) | Route::Unknown(_) => false,
        }
    }

    /// The host names it may be asked by.
    pub(crate) fn audience(&self) -> Audience {
        match self {
            Route::Open { row, .. } => row.audience,
            Route::Unsupported(_) | Route::Unknown(_) => Audience::Loopback,
        }
    }
}

impl Endpoint {
    /// Whether pages knock there.
    fn is_for_pages(self) -> bool {
        match self {
            Endpoint::Auth
            | Endpoint::Download
            | Endpoint::Realtime
            | Endpoint::Rest
            | Endpoint::Upload
            | Endpoint::Web => true,
            Endpoint::Admin | Endpoint::Emulator | Endpoint::Home | Endpoint::Ready => false,
        }
    }
}

/// Where `path` leads. Compared byte by byte: no decoding, no `..`, no second slash.
pub(crate) fn route(path: &str) -> Route<'_> {
    for row in DOORS {
        if path == row.path {
            return Route::Open { row, rest: "" };
        }
        if row.path.len() > 1 && row.path.ends_with('/') && path.starts_with(row.path) {
            return Route::Open { row, rest: path.get(row.path.len()..).unwrap_or_default() };
        }
    }
    match DOORS_UNSUPPORTED.iter().find(|door| is_below(path, door)) {
        Some(door) => Route::Unsupported(door),
        None => Route::Unknown(path),
    }
}

fn is_below(path: &str, door: &str) -> bool {
    path.strip_prefix(door).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn tables_are_sorted() {
        assert!(DOORS.windows(2).all(|pair| pair[0].path < pair[1].path));
        assert!(DOORS_UNSUPPORTED.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn paths_lead_to_doors() {
        check("/", Some((Endpoint::Home, "")));
        check("/admin", Some((Endpoint::Admin, "")));
        check("/_emulator/status", Some((Endpoint::Emulator, "status")));
        check("/_emulator/", Some((Endpoint::Emulator, "")));
        check("/auth/v1/user/me", Some((Endpoint::Auth, "user/me")));
        check("/v1/functions/f", Some((Endpoint::Rest, "functions/f")));
        check("/files/upload/abc", Some((Endpoint::Upload, "abc")));
        check("/files/upload/a/b", Some((Endpoint::Upload, "a/b")));
        check("/files/download/abc", Some((Endpoint::Download, "abc")));
        check("/readyz", Some((Endpoint::Ready, "")));
        check("/web", Some((Endpoint::Web, "")));
    }

    #[test]
    fn other_paths_lead_nowhere() {
        for path in [
            "",
            "/admin/",
            "//admin",
            "/Admin",
            "/admin/x",
            "/_emulator",
            "/readyz/",
            "/files/upload",
            "/%61dmin",
            "/x/../admin",
        ] {
            check(path, None);
            assert_eq!(route(path), Route::Unknown(path));
        }
    }

    #[test]
    fn doors_that_are_not_there_are_named() {
        for path in ["/auth/v2", "/auth/v2/signin/username"] {
            assert_eq!(route(path), Route::Unsupported("/auth/v2"));
        }
        for path in ["/webx", "/auth", "/auth/v1", "/v1", "/auth/v3/x"] {
            assert_eq!(route(path), Route::Unknown(path));
        }
    }

    fn check(path: &str, expected: Option<(Endpoint, &str)>) {
        let found = match route(path) {
            Route::Open { row, rest } => Some((row.endpoint, rest)),
            Route::Unsupported(_) | Route::Unknown(_) => None,
        };
        assert_eq!(found, expected, "{path}");
    }
}
