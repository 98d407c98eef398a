//! A worker: the process that runs users' code, one call at a time, on the JavaScript engine.
//! Talks to `process.rs` on the other side over `frames.rs`; what JavaScript may ask for is in `ops/`.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use deno_core::v8;
use deno_runtime::deno_permissions::{Permissions, PermissionsContainer, PermissionsOptions};
use deno_runtime::permissions::RuntimePermissionDescriptorParser;
use deno_runtime::worker::{MainWorker, WorkerOptions, WorkerServiceOptions};
use deno_runtime::{BootstrapOptions, WorkerExecutionMode};
use sys_traits::impls::RealSys;
use url::Url;

use crate::files::WorkerFiles;
use crate::frames::{Boot, Invoke, ToWorker, read_frame};
use crate::loader::{self, Loading};
use crate::ops::{self, Channel, ChannelState, Environment, describe_fatal};

/// The stack of the thread that runs JavaScript; the engine may use most of it.
const STACK_BYTES: usize = 64 << 20;
/// `Object.prototype.__proto__` works as in Node (the id of the engine's feature `unsafe-proto`).
const FEATURE_PROTO: i32 = 23;
/// Run once after booting: hides the engine's namespace from user code and starts serving calls. A global constant is seen
/// by the engine's own scripts, and is no property of the global object.
const START: &str = "const Deno = globalThis.Deno; Deno[Deno.internal].functions.start();";

/// Everything that is in a worker's life, until its input ends.
pub(crate) fn run() -> ExitCode {
    match claim_channel().and_then(|(input, output)| live(input, output)) {
        Ok(code) => code,
        Err(error) => {
            // The emulator passes on whatever its workers write there.
            let _ = writeln!(io::stderr(), "the worker ends: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Takes the channel off the standard input and output, so that nothing printed can get into it: from now on both
/// standard outputs lead to the captured standard error, and the standard input is empty.
#[cfg(unix)]
fn claim_channel() -> io::Result<(File, File)> {
    use std::os::fd::AsFd;
    let input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    rustix::stdio::dup2_stdout(io::stderr())?;
    Ok((input, output))
}

#[cfg(windows)]
fn claim_channel() -> io::Result<(File, File)> {
    use std::os::windows::io::AsHandle;
    let input = File::from(io::stdin().as_handle().try_clone_to_owned()?);
    let output = File::from(io::stdout().as_handle().try_clone_to_owned()?);
    Ok((input, output))
}

fn live(mut input: File, output: File) -> io::Result<ExitCode> {
    let Some((ToWorker::Boot(boot), _)) = read_frame(&mut input)? else {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the first message must be the boot message"));
    };
    end_with_parent(boot.parent);
    let (sender, calls) = channel();
    std::thread::Builder::new().name("calls".to_owned()).spawn(move || read_calls(input, &sender))?;
    let serve = move || serve(&boot, output, calls);
    let engine = std::thread::Builder::new().name("javascript".to_owned()).stack_size(STACK_BYTES).spawn(serve)?;
    engine.join().map_err(|_| io::Error::other("the engine panicked"))?
}

/// Has the system end this worker when the emulator dies, however it dies. Elsewhere the end of the input does.
fn end_with_parent(parent: u32) {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Signal, getppid, set_parent_process_death_signal};
        let _ = set_parent_process_death_signal(Some(Signal::KILL));
        let is_orphan = getppid().is_none_or(|actual| actual.as_raw_nonzero().get().unsigned_abs() != parent);
        if is_orphan {
            std::process::exit(1);
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = parent;
}

/// Lets the process take this much more memory than it holds at its first call, and half as much again in address space;
/// what is allocated beyond that fails. The emulator looks at what is really used; this is for a step too big for that.
pub(crate) fn limit_memory(bytes: u64) {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        static HELD_BYTES: std::sync::OnceLock<Option<u64>> = std::sync::OnceLock::new();
        let Some(held) = HELD_BYTES.get_or_init(data_bytes) else { return };
        let limit = held + bytes + bytes / 2;
        let _ = setrlimit(Resource::Data, Rlimit { current: Some(limit), maximum: getrlimit(Resource::Data).maximum });
    }
    #[cfg(not(target_os = "linux"))]
    let _ = bytes;
}

/// What counts against the limit already.
#[cfg(target_os = "linux")]
fn data_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmData:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kilobytes << 10)
}

/// Hands on the calls as they come. The end of the input ends the worker, also amid an endless loop.
fn read_calls(mut input: File, sender: &Sender<(Invoke, Vec<u8>)>) {
    while let Ok(Some((ToWorker::Invoke(invoke), event))) = read_frame(&mut input) {
        if sender.send((*invoke, event)).is_err() {
            break;
        }
    }
    end_now();
}

/// Ends the process without running anything that the JavaScript thread might be in the middle of.
fn end_now() -> ! {
    #[cfg(unix)]
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    std::process::exit(0)
}

fn serve(boot: &Boot, output: File, calls: Receiver<(Invoke, Vec<u8>)>) -> io::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut worker = start_engine(boot, output, calls)?;
        worker.execute_script("function:start", START.to_owned().into()).map_err(io::Error::other)?;
        if let Err(error) = worker.run_event_loop(false).await {
            let message = describe_fatal(&error);
            worker.js_runtime.op_state().borrow_mut().borrow_mut::<ChannelState>().end_by_fatal(&message);
            return Ok(ExitCode::FAILURE);
        }
        // Nothing is left that could end the call under way: it waits for its timeout, as in the cloud.
        if worker.js_runtime.op_state().borrow().borrow::<ChannelState>().is_calling {
            std::future::pending::<()>().await;
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn start_engine(boot: &Boot, output: File, calls: Receiver<(Invoke, Vec<u8>)>) -> io::Result<MainWorker> {
    // An error only says that there is a provider already.
    let _ = deno_runtime::deno_tls::rustls::crypto::aws_lc_rs::default_provider().install_default();
    deno_core::v8_set_flags(vec!["functions".to_owned(), format!("--stack-size={}", (STACK_BYTES >> 10) / 2)]);
    let loading = loader::loading(&boot.root, &boot.packed);
    let channel = Channel { output, marker: boot.marker.clone() };
    let state = ChannelState { channel, calls, loaded: loading.loaded.clone(), is_calling: false };
    let options = WorkerOptions {
        extensions: vec![ops::functions::init(state, Environment::of_call(Default::default()))],
        bootstrap: bootstrap_options(boot),
        create_params: Some(v8::CreateParams::default()),
        ..WorkerOptions::default()
    };
    let main = Url::from_file_path(boot.root.join("main.js"))
        .map_err(|()| io::Error::other("the functions folder must be absolute"))?;
    Ok(MainWorker::bootstrap_from_options(&main, services(boot, loading)?, options))
}

fn bootstrap_options(boot: &Boot) -> BootstrapOptions {
    BootstrapOptions {
        has_node_modules_dir: true,
        locale: "en-US".to_owned(),
        unstable_features: vec![FEATURE_PROTO],
        user_agent: "Node.js/20".to_owned(),
        mode: WorkerExecutionMode::None,
        args: if boot.preload { vec!["preload".to_owned()] } else { Vec::new() },
        ..BootstrapOptions::default()
    }
}

type Services = WorkerServiceOptions<deno_resolver::npm::ByonmInNpmPackageChecker, loader::PackageFolders, RealSys>;

fn services(boot: &Boot, loading: Loading) -> io::Result<Services> {
    Ok(WorkerServiceOptions {
        blob_store: Arc::new(deno_runtime::deno_web::BlobStore::default()),
        broadcast_channel: Default::default(),
        deno_rt_native_addon_loader: None,
        feature_checker: Arc::default(),
        fs: Arc::new(WorkerFiles::new(boot.private.clone(), readable(boot))),
        module_loader: Rc::clone(&loading.modules),
        node_services: Some(loading.node),
        npm_process_state_provider: None,
        permissions: permissions(boot)?,
        root_cert_store_provider: None,
        fetch_dns_resolver: Default::default(),
        shared_array_buffer_store: None,
        compiled_wasm_module_store: None,
        v8_code_cache: None,
        bundle_provider: None,
    })
}

/// The folders that user code may read: all functions, with what is installed in them, and the packed packages.
fn readable(boot: &Boot) -> Vec<PathBuf> {
    vec![boot.root.clone(), boot.packed.clone()]
}

/// Reading as [`readable`] says, writing the private folder alone, any network; no subprocess and no native code.
fn permissions(boot: &Boot) -> io::Result<PermissionsContainer> {
    let texts =
        |paths: &[PathBuf]| -> Vec<String> { paths.iter().map(|path| path.to_string_lossy().into_owned()).collect() };
    let private = [boot.private.clone(), Path::new("/tmp").to_path_buf()];
    let mut read = readable(boot);
    read.extend(private.iter().cloned());
    let options = PermissionsOptions {
        allow_env: Some(Vec::new()),
        allow_net: Some(Vec::new()),
        allow_sys: Some(Vec::new()),
        allow_read: Some(texts(&read)),
        allow_write: Some(texts(&private)),
        prompt: false,
        ..PermissionsOptions::default()
    };
    let parser = Arc::new(RuntimePermissionDescriptorParser::new(RealSys));
    let permissions = Permissions::from_options(parser.as_ref(), &options).map_err(io::Error::other)?;
    Ok(PermissionsContainer::new(parser, permissions))
}
