//! Proxies: whether requests to 127.0.0.1 would leave this machine by one. Programs read the variables each in their own way; with
//! the usual names in `no_proxy` all of them come here.

use super::commands;
use super::finding::Finding;

/// What programs read for `http://…`, the first that is set, in the order in which most look.
const VARIABLES_HTTP: &[&str] = &["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];
/// What they read for other addresses alone.
const VARIABLES_HTTPS: &[&str] = &["https_proxy", "HTTPS_PROXY"];
const VARIABLES_EXCEPT: &[&str] = &["no_proxy", "NO_PROXY"];
/// What must be among the exceptions.
const LOOPBACK: &[&str] = &["127.0.0.1", "localhost"];

/// Looks at the environment variables, as `variable` tells them, and at the system's own settings where they can be read.
pub(super) fn check(variable: impl Fn(&str) -> Option<String>) -> Vec<Finding> {
    let set = |names: &[&'static str]| {
        names.iter().find_map(|name| Some((*name, variable(name).filter(|value| !value.is_empty())?)))
    };
    let except = set(VARIABLES_EXCEPT).map(|(_, value)| value).unwrap_or_default();
    let of_variables = match (set(VARIABLES_HTTP), set(VARIABLES_HTTPS)) {
        (Some(proxy), _) => Some(judge(proxy, &except)),
        // The emulator speaks HTTP, but DevTools may well take the system's proxy, which whoever set this has.
        (None, Some((name, value))) => {
            Some(Finding::ok("proxy.https-only").with("variable", name).with("value", without_secrets(&value)))
        }
        (None, None) => None,
    };
    let of_system = system_proxy().map(|value| Finding::warning("proxy.system").with("value", without_secrets(&value)));
    let findings: Vec<Finding> = of_variables.into_iter().chain(of_system).collect();
    if findings.is_empty() { vec![Finding::ok("proxy.none")] } else { findings }
}

fn judge((name, value): (&'static str, String), except: &str) -> Finding {
    let missing: Vec<&str> = LOOPBACK.iter().copied().filter(|name| !is_excepted(name, except)).collect();
    let finding = if missing.is_empty() { Finding::ok("proxy.bypassed") } else { Finding::fault("proxy.swallows") };
    let wanted: Vec<&str> = Some(except).filter(|except| !except.is_empty()).into_iter().chain(missing).collect();
    let wanted = wanted.join(",");
    let set = |name: &str| commands::set_variable(name, &wanted);
    let command = if cfg!(windows) { set("NO_PROXY") } else { format!("{}; {}", set("no_proxy"), set("NO_PROXY")) };
    finding.with("variable", name).with("value", without_secrets(&value)).with("command", command)
}

/// Whether `host` is in the list `except`, as curl, Node's libraries and Go read it.
fn is_excepted(host: &str, except: &str) -> bool {
    let is_loopback_net = |entry: &str| host == LOOPBACK[0] && (entry == "127.0.0.0/8" || entry == "127.*");
    except.split([',', ' ']).map(str::trim).any(|entry| entry == "*" || entry == host || is_loopback_net(entry))
}

/// A proxy's address without the name and password that may stand in it.
fn without_secrets(address: &str) -> String {
    let (scheme, rest) = address.split_once("://").map_or(("", address), |(scheme, rest)| (scheme, rest));
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    if scheme.is_empty() { host.to_owned() } else { format!("{scheme}://{host}") }
}

/// The proxy that the system's settings name for plain HTTP.
#[cfg(any(windows, target_os = "macos"))]
fn system_proxy() -> Option<String> {
    let address = hyper::Uri::from_static("http://127.0.0.1:7357/");
    // Variables have been looked at already, and would hide the settings.
    if VARIABLES_HTTP.iter().any(|name| std::env::var_os(name).is_some()) {
        return None;
    }
    let proxies = hyper_util::client::proxy::matcher::Matcher::from_system();
    proxies.intercept(&address).map(|proxy| proxy.uri().to_string())
}

/// Linux has no settings of the system: each desktop has its own, and DevTools is not made for it.
#[cfg(not(any(windows, target_os = "macos")))]
fn system_proxy() -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn a_proxy_must_let_loopback_go() {
        const PROXY: (&str, &str) = ("http_proxy", "http://me:secret@proxy:8080");
        case(&[], "proxy.none");
        case(&[("http_proxy", "")], "proxy.none");
        case(&[PROXY], "proxy.swallows");
        case(&[("ALL_PROXY", "socks5://127.0.0.1:1080")], "proxy.swallows");
        case(&[PROXY, ("no_proxy", "127.0.0.1")], "proxy.swallows");
        case(&[PROXY, ("no_proxy", "example.com, localhost,127.0.0.1")], "proxy.bypassed");
        case(&[PROXY, ("NO_PROXY", "localhost 127.0.0.0/8")], "proxy.bypassed");
        case(&[PROXY, ("NO_PROXY", "*")], "proxy.bypassed");
        case(&[("HTTPS_PROXY", "http://proxy:8080")], "proxy.https-only");
    }

    #[cfg(unix)]
    #[test]
    fn the_cure_keeps_what_was_excepted_and_shows_no_password() {
        let finding = find(&[("HTTP_PROXY", "http://me:secret@proxy:8080"), ("no_proxy", "a.com,localhost")]);
        let command = "export no_proxy=a.com,localhost,127.0.0.1; export NO_PROXY=a.com,localhost,127.0.0.1";
        assert!(finding.values.contains(&("command", command.to_owned())), "{finding:?}");
        assert!(finding.values.contains(&("value", "http://proxy:8080".to_owned())), "{finding:?}");
    }

    fn case(variables: &[(&str, &str)], id: &str) {
        assert_eq!(find(variables).id, id, "{variables:?}");
    }

    fn find(variables: &[(&str, &str)]) -> Finding {
        let value =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        check(value).remove(0)
    }
}
