//! The one thread that starts worker processes. On Linux a worker asks to die with the thread that started it, so that
//! thread must live as long as the emulator uses workers; a runtime's threads promise no such thing.

use std::io;
use std::sync::mpsc;

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

type Request = (Command, Handle, oneshot::Sender<io::Result<Child>>);

/// A handle on the thread, which ends with the last handle.
#[derive(Debug, Clone)]
pub(crate) struct Starter {
    requests: mpsc::Sender<Request>,
}

impl Starter {
    pub(crate) fn new() -> io::Result<Starter> {
        let (requests, receiver) = mpsc::channel::<Request>();
        std::thread::Builder::new().name("worker-starter".to_owned()).spawn(move || {
            for (mut command, runtime, reply) in receiver {
                let _entered = runtime.enter();
                // Nobody waits any more: the child is dropped, which kills it.
                let _ = reply.send(command.spawn());
            }
        })?;
        Ok(Starter { requests })
    }

    pub(crate) async fn start(&self, command: Command) -> io::Result<Child> {
        let gone = || io::Error::other("the thread that starts workers ended");
        let (reply, child) = oneshot::channel();
        self.requests.send((command, Handle::current(), reply)).map_err(|_| gone())?;
        child.await.map_err(|_| gone())?
    }
}
