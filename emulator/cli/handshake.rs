//! `emulator start --handshake`: how a program that started the emulator learns where it is, and how the emulator learns that the
//! program has ended.

use environment::Cloud;
use serde_json::json;
use std::io::{self, Read, Write};
use std::path::Path;
use tokio::sync::oneshot;

/// What is read from standard input at once; what comes means nothing, only its end does.
const CHUNK_BYTES: usize = 1024;

/// Says in one line of JSON where the emulator is. A reader that has gone has ended standard input too, so this cannot fail.
pub(crate) fn announce(cloud: &Cloud, data: &Path) {
    let holder = cloud.holder();
    let line = json!({
        "emulator": "ready",
        "url": format!("http://127.0.0.1:{}", holder.port),
        "token": holder.token,
        "env": cloud.default_name(),
        "data": data.to_string_lossy(),
        "pid": holder.pid,
    });
    let mut output = io::stdout().lock();
    let _ = writeln!(output, "{line}").and_then(|()| output.flush());
}

/// The program that holds the other end of standard input.
pub(crate) struct Parent {
    /// Told by the thread that reads standard input.
    end: oneshot::Receiver<()>,
}

impl Parent {
    /// Listens from now on.
    pub(crate) fn watch() -> Parent {
        let (sender, end) = oneshot::channel();
        // A thread of its own: the runtime would wait at the end for a read of its own.
        std::thread::spawn(move || {
            drain(io::stdin().lock());
            // Nobody listens any more when the emulator stops for another reason.
            let _ = sender.send(());
        });
        Parent { end }
    }

    /// Resolves when the program has ended, or has closed its end.
    pub(crate) async fn gone(self) {
        // The thread ends with a word, and never without standard input.
        let _ = self.end.await;
    }
}

fn drain(mut input: impl Read) {
    let mut chunk = [0; CHUNK_BYTES];
    loop {
        match input.read(&mut chunk) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // A standard input that cannot be read has no other end.
            Err(_) => return,
        }
    }
}
