//! `emulator start`: listens, opens the cloud, says that it is ready, and ends in order.

use crate::arguments::{LogFormat, StartArguments};
use crate::logging;
use crate::port::{self, PortError};
use crate::settings::{Settings, SettingsError};
use crate::signals::Signals;
use environment::{Cloud, DataFolderError, OpenError, Seeded};
use gateway::Reach;
use serde_json::json;
use std::path::PathBuf;
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
    #[error("signals cannot be listened for: {0}")]
    Signals(std::io::Error),
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
    let data = if folder.is_ephemeral() { None } else { Some(folder.path().to_path_buf()) };
    let fixtures = settings.fixtures(arguments.fixtures);
    let stop = stop_signal()?;
    let cloud = Cloud::open(settings.cloud(gateway.port(), fixtures)?, folder).await?;
    let seeded = cloud.seed().await?;
    gateway.open(cloud.clone());
    announce(format, &Ready { port: gateway.port(), reach, data, seeded, cloud: &cloud });
    cloud.boot_spare_worker();
    stop.await;
    tracing::info!("stopping: running requests may finish; Ctrl-C again ends at once");
    gateway.close().await;
    cloud.close().await?;
    Ok(ExitCode::SUCCESS)
}

/// What there is to say once every endpoint answers.
struct Ready<'a> {
    port: u16,
    reach: Reach,
    /// `None`: ephemeral.
    data: Option<PathBuf>,
    seeded: Option<Seeded>,
    cloud: &'a Cloud,
}

/// Listens from now on; resolves at the first signal, and ends the process at the second.
fn stop_signal() -> Result<impl Future<Output = ()>, StartError> {
    let mut signals = Signals::listen().map_err(StartError::Signals)?;
    Ok(async move {
        signals.next().await;
        tokio::spawn(async move {
            signals.next().await;
            std::process::exit(130);
        });
    })
}

/// The ready screen, on standard output: one line that programs wait for, and under it what a developer needs next.
#[allow(clippy::print_stdout)]
fn announce(format: LogFormat, ready: &Ready<'_>) {
    match format {
        LogFormat::Text => println!("{}", screen(ready)),
        LogFormat::Json => println!("{}", ready_json(ready)),
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
    lines.push("  for server SDKs (@cloudbase/node-sdk, wx-server-sdk), in the shell they start from:".into());
    lines.extend(variables(ready).iter().map(|(name, value)| format!("    export {name}='{value}'")));
    lines.push(format!("  environment: {} when a request names none", ready.cloud.default_name()));
    lines.push(match ready.cloud.function_names() {
        names if names.is_empty() => "  functions:   none".into(),
        names => format!("  functions:   {}", names.join(", ")),
    });
    lines.push(match &ready.data {
        Some(path) => format!("  data:        {}", path.display()),
        None => "  data:        in a temporary folder, removed at the end".into(),
    });
    lines.extend(ready.seeded.as_ref().map(|seeded| format!("  fixtures:    {}", seeded_text(seeded))));
    match ready.reach {
        Reach::Loopback => {}
        Reach::Network => lines.extend(network_lines(&network_urls(ready))),
    }
    lines.join("\n")
}

/// Loud, for the door is open to strangers.
fn network_lines(urls: &[String]) -> Vec<String> {
    let mut lines = vec![
        "  !! OPEN TO THE LOCAL NETWORK (--lan): whoever has the token can use this cloud as any user. For a phone, in app.js:"
            .to_owned(),
    ];
    lines.extend(
        urls.iter()
            .map(|url| format!("       try {{ require('./wx-cloud.js')({{ address: '{url}' }}) }} catch (e) {{}}")),
    );
    if urls.is_empty() {
        lines.push("       this machine has no address on a network now: connect it and start again".to_owned());
    }
    lines
}

/// This machine's addresses on its networks, with the token that lets a page in.
fn network_urls(ready: &Ready<'_>) -> Vec<String> {
    let token = ready.cloud.network_token();
    let interfaces = if_addrs::get_if_addrs().unwrap_or_else(|error| {
        tracing::warn!(%error, "the addresses of this machine cannot be told");
        Vec::new()
    });
    let addresses = interfaces.iter().map(if_addrs::Interface::ip).filter(|ip| ip.is_ipv4() && !ip.is_loopback());
    addresses.map(|ip| format!("http://{ip}:{}/?token={token}", ready.port)).collect()
}

fn seeded_text(seeded: &Seeded) -> String {
    match seeded {
        Seeded::Filled { collections, documents, files, users } => {
            format!("{collections} collections with {documents} documents, {files} files and {users} users")
        }
        Seeded::HadData => "not used: the cloud has data already, nothing was changed".into(),
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
        "data": ready.data,
        "fixtures": ready.seeded.as_ref().map(seeded_text),
    })
    .to_string()
}
