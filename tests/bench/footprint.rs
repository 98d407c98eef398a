//! What a server takes up, of memory and of disk.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::server::Server;

/// What a server takes up.
#[derive(Clone, Copy)]
pub(crate) struct Footprint {
    pub(crate) memory_bytes: u64,
    pub(crate) disk_bytes: u64,
}

impl Footprint {
    /// On Linux only.
    pub(crate) fn of(server: &Server) -> Footprint {
        let status = std::fs::read_to_string(format!("/proc/{}/status", server.process())).unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let kilobytes: u64 = resident.trim().trim_end_matches(" kB").parse().unwrap();
        Footprint { memory_bytes: kilobytes << 10, disk_bytes: disk_bytes(server.folder()) }
    }
}

/// What the files of a folder take up; some may vanish meanwhile.
fn disk_bytes(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let bytes = entries.map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => disk_bytes(&entry.path()),
        Ok(metadata) => metadata.blocks() * 512,
        Err(_) => 0,
    });
    bytes.sum()
}
