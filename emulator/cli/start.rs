//! `emulator start`: listens, opens the cloud, says that it is ready, and ends in order.

use crate::arguments::{LogFormat, StartArguments};
use crate::handshake::{self, Parent};
use crate::language::text;
use crate::logging;
use crate::output::say;
use crate::port::{self, PortError};
use crate::reseed::{self, WatchError, Watched};
use crate::settings::{Settings, SettingsError};
use crate::signals::{STATUS_INTERRUPTED, Signals};
use environment::{Cloud, DataFolderError, OpenError, Seeded};
use gateway::Reach;
use serde_json::json;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Why the emulator cannot start, or did not end well.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Port(#[from] PortError),
    #[error(transparent)]
    DataFolder(#[from] DataFolderError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("{}", text!("signals-failed", reason = .0.to_string()))]
    Signals(std::io::Error),
    #[error("{}", text!("watch-needs-fixtures"))]
    NothingToWatch,
    #[error(transparent)]
    Watch(#[from] WatchError),
}

/// Runs until Ctrl-C or a request to end.
pub(crate) async fn run(arguments: StartArguments) -> Result<ExitCode, StartError> {
    let settings = Settings::settle(&arguments.cloud)?;
    let format = settings.log_format();
    logging::start(format);
    let folder = settings.data_folder(arguments.data.as_deref(), arguments.ephemeral)?;
    let reach = if arguments.lan { Reach::Network } else { Reach::Loopback };
    let gateway = port::listen(settings.port(arguments.port), reach).await?;
    gateway.let_in(settings.origins(&arguments.origins)?);
    let (path, is_ephemeral) = (folder.path().to_path_buf(), folder.is_ephemeral());
    let fixtures = settings.fixtures(arguments.fixtures);
    let watched = if arguments.watch { Some(watch(fixtures.as_deref())?) } else { None };
    let stop = stop_signal(arguments.handshake)?;
    let cloud = Cloud::open(settings.cloud(gateway.port(), fixtures)?, folder).await?;
    let seeded = cloud.seed().await?;
    gateway.open(cloud.clone());
    if arguments.handshake {
        handshake::announce(&cloud, &path);
    } else {
        let data = Some(path).filter(|_| !is_ephemeral);
        announce(
            format,
            &Ready { port: gateway.port(), reach, data, seeded, watched: watched.is_some(), cloud: &cloud },
        );
    }
    cloud.boot_spare_worker();
    tokio::select! {
        () = stop => {}
        never = follow(&cloud, watched) => match never {},
    }
    tracing::info!("{}", text!("stopping"));
    gateway.close().await;
    cloud.close().await?;
    Ok(ExitCode::SUCCESS)
}

/// Watches the fixtures from now on.
fn watch(fixtures: Option<&Path>) -> Result<Watched, StartError> {
    Ok(Watched::start(fixtures.ok_or(StartError::NothingToWatch)?)?)
}

async fn follow(cloud: &Cloud, watched: Option<Watched>) -> Infallible {
    match watched {
        Some(watched) => reseed::follow(cloud, watched).await,
        None => std::future::pending().await,
    }
}

/// What there is to say once every endpoint answers.
struct Ready<'a> {
    port: u16,
    reach: Reach,
    /// `None`: ephemeral.
    data: Option<PathBuf>,
    seeded: Option<Seeded>,
    /// Whether a change of the fixtures is followed.
    watched: bool,
    cloud: &'a Cloud,
}

/// Listens from now on; resolves at the first signal, with `handshake` at the end of standard input too, and ends the process at
/// a signal after that.
fn stop_signal(handshake: bool) -> Result<impl Future<Output = ()>, StartError> {
    let mut signals = Signals::listen().map_err(StartError::Signals)?;
    let parent = handshake.then(Parent::watch);
    Ok(async move {
        let gone = async { if let Some(parent) = parent { parent.gone().await } else { std::future::pending().await } };
        tokio::select! {
            _ = signals.next() => {}
            () = gone => {}
        }
        tokio::spawn(async move {
            signals.next().await;
            std::process::exit(i32::from(STATUS_INTERRUPTED));
        });
    })
}

/// The ready screen, on standard output: one line that programs wait for, and under it what a developer needs next.
fn announce(format: LogFormat, ready: &Ready<'_>) {
    match format {
        LogFormat::Text => say(screen(ready)),
        LogFormat::Json => say(ready_json(ready)),
    }
}

fn address(ready: &Ready<'_>) -> String {
    format!("http://127.0.0.1:{}", ready.port)
}

/// What points a server SDK here without a change to its code (protocol §1.1, §1.3).
fn variables(ready: &Ready<'_>) -> [(&'static str, String); 6] {
    [
        ("TCB_CONTEXT_CNFG", json!({ "URL": format!("{}/admin", address(ready)) }).to_string()),
        ("TENCENTCLOUD_RUNENV", "SCF".into()),
        ("TENCENTCLOUD_SECRETID", "emulator".into()),
        ("TENCENTCLOUD_SECRETKEY", "emulator".into()),
        // Without these two the SDK complains at every request that it is not in a real function.
        ("TENCENTCLOUD_REGION", "ap-shanghai".into()),
        ("SCF_NAMESPACE", ready.cloud.default_name().into()),
    ]
}

fn screen(ready: &Ready<'_>) -> String {
    let mut lines = vec![format!("emulator ready at {}", address(ready))];
    lines.push(format!("  {}", text!("screen-variables")));
    lines.extend(variables(ready).iter().map(|(name, value)| format!("    export {name}='{value}'")));
    lines.push(format!("  {}", text!("screen-environment", name = ready.cloud.default_name())));
    lines.push(match ready.cloud.function_names() {
        names if names.is_empty() => format!("  {}", text!("screen-functions-none")),
        names => format!("  {}", text!("screen-functions", names = names.join(", "))),
    });
    lines.push(match &ready.data {
        Some(path) => format!("  {}", text!("screen-data", path = path.display().to_string())),
        None => format!("  {}", text!("screen-data-temporary")),
    });
    let seeded = ready.seeded.as_ref().map(seeded_text);
    lines.extend(seeded.map(|seeded| format!("  {}", text!("screen-fixtures", seeded = seeded))));
    lines.extend(ready.watched.then(|| format!("  {}", text!("screen-watched"))));
    match ready.reach {
        Reach::Loopback => {}
        Reach::Network => lines.extend(network_lines(&network_urls(ready))),
    }
    lines.join("\n")
}

/// Loud, for the door is open to strangers.
fn network_lines(urls: &[String]) -> Vec<String> {
    let mut lines = vec![format!("  !! {}", text!("screen-network"))];
    lines.extend(
        urls.iter()
            .map(|url| format!("       try {{ require('./wx-cloud.js')({{ address: '{url}' }}) }} catch (e) {{}}")),
    );
    if urls.is_empty() {
        lines.push(format!("       {}", text!("screen-network-none")));
    }
    lines
}

/// This machine's addresses on its networks, with the token that lets a page in.
fn network_urls(ready: &Ready<'_>) -> Vec<String> {
    let token = ready.cloud.network_token();
    let interfaces = if_addrs::get_if_addrs().unwrap_or_else(|error| {
        tracing::warn!(%error, "{}", text!("addresses-unknown"));
        Vec::new()
    });
    let addresses = interfaces.iter().map(if_addrs::Interface::ip).filter(|ip| ip.is_ipv4() && !ip.is_loopback());
    addresses.map(|ip| format!("http://{ip}:{}/?token={token}", ready.port)).collect()
}

fn seeded_text(seeded: &Seeded) -> String {
    match seeded {
        Seeded::Filled { collections, documents, files, users } => {
            text!("fixtures-filled", collections = *collections, documents = *documents, files = *files, users = *users)
        }
        Seeded::HadData => text!("fixtures-unused"),
    }
}

fn ready_json(ready: &Ready<'_>) -> String {
    let variables: serde_json::Map<_, _> =
        variables(ready).into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let message = format!("emulator ready at {}", address(ready));
    json!({
        "message": message,
        "url": address(ready),
        "variables": variables,
        "functions": ready.cloud.function_names(),
        "network": match ready.reach {
            Reach::Loopback => Vec::new(),
            Reach::Network => network_urls(ready),
        },
        "data": ready.data.as_ref().map(|data| data.to_string_lossy()),
        "fixtures": ready.seeded.as_ref().map(seeded_text),
    })
    .to_string()
}
