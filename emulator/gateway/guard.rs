//! Who may speak to the emulator at all: the `Host` and `Origin` of a request, against web pages that reach for a server on
//! loopback (DNS rebinding, cross-site requests). Only decides; `dispatch.rs` sees to it that nothing happens after a refusal.

use std::net::IpAddr;
use std::str::FromStr;

use hyper::Version;
use hyper::header::{HOST, HeaderName, HeaderValue, ORIGIN};
use hyper::http::request::Parts;

/// The names a door answers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// This machine's loopback names.
    Loopback,
    /// Those, and the cloud's own names: a client that goes through the emulator as its HTTP proxy uses them (protocol §1.2).
    LoopbackAndCloud,
    /// The one address that a request from the network came to.
    Network(IpAddr),
}

/// The names of loopback a request may be addressed to, and a page may come from.
const LOOPBACK_NAMES: &[&str] = &["127.0.0.1", "[::1]", "localhost"];

/// The cloud's names of the admin face, sorted (protocol §1.1, §1.2).
const CLOUD_NAMES: &[&str] = &[
    "tcb-admin.tencentcloudapi.com",
    "tcb-admin.tencentyun.com",
    "tcb-open.tencentcloudapi.com",
    "tcb-open.tencentyun.com",
];

/// Endings of the cloud's names, sorted; before them stand an environment, `internal`, a region.
const CLOUD_NAME_ENDINGS: &[&str] = &[".tcb-api.tencentcloudapi.com", ".tencentyun.com"];

/// The origin of mini programs' pages: WeChat names it in `Referer`, and where DevTools names it as the origin it is theirs too.
const MINI_PROGRAM_ORIGIN: &str = "https://servicewechat.com";

/// The cloud's code for a request from the wrong place (protocol §2.9).
pub(crate) const REFUSED: &str = "INVALID_REQUEST_SOURCE";

/// A refused value is shown in the message, but not at any length.
const SHOWN_LENGTH: usize = 200;

/// The origin of pages that the developer lets in beside those of loopback: `https://dev.example.com:8443`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

/// A text that is no origin.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no origin: write scheme, host and perhaps a port, as a browser does: https://dev.example.com:8443")]
pub struct BadOrigin(String);

impl FromStr for Origin {
    type Err = BadOrigin;

    fn from_str(text: &str) -> Result<Origin, BadOrigin> {
        let authority = authority_of(text).filter(|authority| is_name(authority.host));
        let is_small = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        if authority.is_some() && is_small { Ok(Origin(text.to_owned())) } else { Err(BadOrigin(shown(text))) }
    }
}

/// Why a request is refused: what was wrong, and what is allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the request has no Host header: the emulator answers to 127.0.0.1, localhost and [::1] only")]
    HostMissing,
    #[error("the request has several {0} headers: one is allowed")]
    Several(&'static str),
    #[error(
        "Host `{0}` is refused: the emulator answers to 127.0.0.1, localhost and [::1] with any port and, on /admin, to the \
         cloud's own host names as clients send them through an HTTP proxy"
    )]
    Host(String),
    #[error("Host `{host}` and the request's target `{target}` disagree: name the same host in both")]
    HostDisagrees { host: String, target: String },
    #[error(
        "Origin `{0}` is refused: only pages of http(s)://localhost, 127.0.0.1 or [::1], and mini programs, may use the emulator; \
         let other pages in with --origin, or `allowed-origins` in emulator.toml"
    )]
    Origin(String),
}

/// Whether a request may come in, from pages of loopback or of `origins` if it comes from a page; the origin of the page it comes from, if it comes from one.
pub(crate) fn check<'a>(
    parts: &'a Parts,
    audience: Audience,
    origins: &[Origin],
) -> Result<Option<&'a HeaderValue>, Refusal> {
    check_host(parts, audience)?;
    check_origin(parts, origins)
}

fn check_host(parts: &Parts, audience: Audience) -> Result<(), Refusal> {
    let host = only(parts, &HOST, "Host")?
        .map(|host| host.to_str().map_err(|_| Refusal::Host(shown_bytes(host))))
        .transpose()?;
    let target = parts.uri.authority().map(|authority| authority.as_str());
    let port_default = if parts.uri.scheme_str() == Some("https") { 443 } else { 80 };
    for name in host.iter().chain(target.iter()) {
        if !Authority::parse(name).is_some_and(|authority| authority.is_welcome(audience)) {
            return Err(Refusal::Host(shown(name)));
        }
    }
    match (host, target) {
        (None, _) if parts.version >= Version::HTTP_11 => Err(Refusal::HostMissing),
        (Some(host), Some(target)) if !same(host, target, port_default) => {
            Err(Refusal::HostDisagrees { host: shown(host), target: shown(target) })
        }
        (None | Some(_), _) => Ok(()),
    }
}

fn check_origin<'a>(parts: &'a Parts, origins: &[Origin]) -> Result<Option<&'a HeaderValue>, Refusal> {
    let Some(origin) = only(parts, &ORIGIN, "Origin")? else { return Ok(None) };
    let text = origin.to_str().map_err(|_| Refusal::Origin(shown_bytes(origin)))?;
    if text == MINI_PROGRAM_ORIGIN || origins.iter().any(|Origin(allowed)| allowed == text) {
        return Ok(Some(origin));
    }
    match authority_of(text) {
        Some(authority) if authority.is_loopback() => Ok(Some(origin)),
        Some(_) | None => Err(Refusal::Origin(shown(text))),
    }
}

/// What follows the scheme of an origin.
fn authority_of(origin: &str) -> Option<Authority<'_>> {
    origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://")).and_then(Authority::parse)
}

fn only<'a>(parts: &'a Parts, name: &HeaderName, title: &'static str) -> Result<Option<&'a HeaderValue>, Refusal> {
    let mut values = parts.headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(Refusal::Several(title)),
    }
}

/// `host[:port]`, as in `Host`, in a request's target and after the scheme of an origin.
#[derive(Debug, PartialEq, Eq)]
struct Authority<'a> {
    host: &'a str,
    port: Option<u16>,
}

impl<'a> Authority<'a> {
    /// `None` for everything that is not exactly a host and perhaps a port: user names, paths, odd ports.
    fn parse(text: &'a str) -> Option<Authority<'a>> {
        let host_end = match text.strip_prefix('[') {
            Some(inner) => inner.find(']')? + 2,
            None => text.find(':').unwrap_or(text.len()),
        };
        let (host, rest) = text.split_at_checked(host_end)?;
        let port = match rest.strip_prefix(':') {
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(digits.parse().ok()?),
            Some(_) => return None,
            None if rest.is_empty() => None,
            None => return None,
        };
        (!host.is_empty()).then_some(Authority { host, port })
    }

    fn is_welcome(&self, audience: Audience) -> bool {
        match audience {
            Audience::Loopback => self.is_loopback(),
            Audience::LoopbackAndCloud => self.is_loopback() || self.is_cloud(),
            Audience::Network(ours) => self.host.parse() == Ok(ours),
        }
    }

    fn is_loopback(&self) -> bool {
        LOOPBACK_NAMES.iter().any(|name| name.eq_ignore_ascii_case(self.host))
    }

    fn is_cloud(&self) -> bool {
        let host = self.host.to_ascii_lowercase();
        CLOUD_NAMES.contains(&host.as_str())
            || CLOUD_NAME_ENDINGS
                .iter()
                .filter_map(|ending| host.strip_suffix(ending))
                .any(|front| !front.is_empty() && !front.starts_with('.') && is_name(front))
    }
}

fn is_name(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

fn same(host: &str, target: &str, port_default: u16) -> bool {
    let (Some(host), Some(target)) = (Authority::parse(host), Authority::parse(target)) else { return false };
    host.host.eq_ignore_ascii_case(target.host)
        && host.port.unwrap_or(port_default) == target.port.unwrap_or(port_default)
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN_LENGTH).collect()
}

fn shown_bytes(value: &HeaderValue) -> String {
    shown(&String::from_utf8_lossy(value.as_bytes()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use hyper::Request;

    #[test]
    fn loopback_names_are_welcome() {
        for host in ["127.0.0.1", "127.0.0.1:1", "localhost:65535", "LocalHost:80", "[::1]", "[::1]:8080"] {
            check(Audience::Loopback, "/x", &[("host", host)], None);
        }
    }

    #[test]
    fn other_names_are_refused() {
        for host in [
            "evil.example",
            "",
            "localhost.",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "evil@localhost",
            "localhost@evil",
            "localhost:",
            "localhost:x",
            "localhost:99999",
            "localhost:80:80",
            "[::1",
            "[::1]x",
            "::1",
            "0.0.0.0",
            "192.168.0.2",
            "[::ffff:127.0.0.1]",
            "localhost/",
            "127.1",
            "tcb-admin.tencentyun.com",
        ] {
            check(Audience::Loopback, "/x", &[("host", host)], Some(Refusal::Host(host.to_owned())));
        }
    }

    #[test]
    fn the_admin_door_knows_the_clouds_names() {
        for host in [
            "tcb-admin.tencentcloudapi.com",
            "TCB-admin.tencentyun.com:80",
            "tcb-open.tencentyun.com",
            "tcb-open.tencentcloudapi.com:443",
            "env-1.tcb-api.tencentcloudapi.com",
            "env-1.ap-shanghai.tcb-api.tencentcloudapi.com",
            "env-1.internal.ap-shanghai.tcb-api.tencentcloudapi.com",
            "anything.tencentyun.com",
        ] {
            check(Audience::LoopbackAndCloud, "/admin", &[("host", host)], None);
            check(Audience::LoopbackAndCloud, &format!("http://{host}/admin"), &[("host", host)], None);
        }
        for host in [
            "tencentyun.com",
            ".tencentyun.com",
            "..tencentyun.com",
            "eviltencentyun.com",
            "tcb-admin.tencentyun.com.evil.example",
            "tcb-api.tencentcloudapi.com",
            "cvm.tencentcloudapi.com",
            "a/b.tencentyun.com",
            "a@b.tencentyun.com",
            "evil.example",
        ] {
            check(Audience::LoopbackAndCloud, "/admin", &[("host", host)], Some(Refusal::Host(host.to_owned())));
        }
    }

    #[test]
    fn host_and_target_agree() {
        check(Audience::Loopback, "http://127.0.0.1:9/x", &[("host", "127.0.0.1:9")], None);
        check(Audience::Loopback, "http://127.0.0.1/x", &[("host", "127.0.0.1:80")], None);
        check(Audience::Loopback, "https://127.0.0.1/x", &[("host", "127.0.0.1:443")], None);
        check(
            Audience::Loopback,
            "http://evil.example/x",
            &[("host", "127.0.0.1")],
            Some(Refusal::Host("evil.example".into())),
        );
        check(
            Audience::Loopback,
            "http://127.0.0.1/x",
            &[("host", "evil.example")],
            Some(Refusal::Host("evil.example".into())),
        );
        let disagrees = Refusal::HostDisagrees { host: "localhost:9".into(), target: "127.0.0.1:9".into() };
        check(Audience::Loopback, "http://127.0.0.1:9/x", &[("host", "localhost:9")], Some(disagrees));
        let disagrees = Refusal::HostDisagrees { host: "127.0.0.1:8".into(), target: "127.0.0.1:9".into() };
        check(Audience::Loopback, "http://127.0.0.1:9/x", &[("host", "127.0.0.1:8")], Some(disagrees));
    }

    #[test]
    fn one_host_is_needed() {
        check(Audience::Loopback, "/x", &[], Some(Refusal::HostMissing));
        check(Audience::Loopback, "http://127.0.0.1/x", &[], Some(Refusal::HostMissing));
        check(
            Audience::Loopback,
            "/x",
            &[("host", "localhost"), ("host", "localhost")],
            Some(Refusal::Several("Host")),
        );
    }

    #[test]
    fn an_old_client_may_leave_host_out() {
        let request = Request::builder().version(Version::HTTP_10).uri("/x").body(()).unwrap();
        assert_eq!(super::check(&request.into_parts().0, Audience::Loopback, &[]), Ok(None));
    }

    #[test]
    fn pages_of_loopback_are_welcome() {
        for origin in [
            "http://localhost",
            "http://localhost:8080",
            "https://127.0.0.1:3000",
            "http://[::1]:5173",
            "https://servicewechat.com",
        ] {
            check(Audience::Loopback, "/x", &[("host", "localhost"), ("origin", origin)], None);
        }
    }

    #[test]
    fn other_pages_are_refused() {
        for origin in [
            "null",
            "",
            "http://evil.example",
            "https://evil.example:8080",
            "http://localhost.evil.example",
            "http://localhost@evil.example",
            "http://localhost/",
            "http://localhost:80/x",
            "file://",
            "chrome-extension://abc",
            "HTTP://localhost",
            "http://servicewechat.com",
            "https://servicewechat.com.evil.example",
            "localhost",
            "http://tcb-admin.tencentyun.com",
            "http://localhost, http://evil.example",
            "http://0.0.0.0",
        ] {
            let refusal = Some(Refusal::Origin(origin.to_owned()));
            check(Audience::LoopbackAndCloud, "/admin", &[("host", "localhost"), ("origin", origin)], refusal);
        }
        let twice = [("host", "localhost"), ("origin", "http://localhost"), ("origin", "http://localhost")];
        check(Audience::Loopback, "/x", &twice, Some(Refusal::Several("Origin")));
    }

    #[test]
    fn pages_that_the_developer_names_are_welcome() {
        let allowed: Vec<Origin> =
            ["https://dev.example.com", "http://dev.example.com:8080"].map(|text| text.parse().unwrap()).into();
        let check = |origin: &str| {
            let request = Request::builder().uri("/web").header("host", "localhost").header("origin", origin);
            super::check(&request.body(()).unwrap().into_parts().0, Audience::Loopback, &allowed).is_ok()
        };
        for origin in ["https://dev.example.com", "http://dev.example.com:8080", "http://localhost:1"] {
            assert!(check(origin), "{origin}");
        }
        for origin in ["http://dev.example.com", "https://dev.example.com:8080", "https://dev.example.com.evil", "null"]
        {
            assert!(!check(origin), "{origin}");
        }
        for bad in [
            "",
            "*",
            "null",
            "dev.example.com",
            "https://",
            "https://dev.example.com/",
            "https://Dev.example.com",
            "https://*.example.com",
        ] {
            assert!(bad.parse::<Origin>().is_err(), "{bad}");
        }
    }

    fn check(audience: Audience, target: &str, headers: &[(&str, &str)], expected: Option<Refusal>) {
        let mut request = Request::builder().uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let parts = match request.body(()) {
            Ok(request) => request.into_parts().0,
            Err(_) => panic!("{target} {headers:?} is no request"),
        };
        assert_eq!(super::check(&parts, audience, &[]).err(), expected, "{target} {headers:?}");
    }
}
