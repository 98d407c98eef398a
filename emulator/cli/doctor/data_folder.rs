//! The data folder: who holds it, whether it can be written, and whether the place is one for a database.

use super::commands;
use super::finding::Finding;
use super::hello::hello;
use environment::{DataFolder, Holder, Occupancy};
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

/// With less than this, a start may fail in the middle of a write.
const SPACE_BYTES_MIN: u64 = 64 << 20;
/// With less than this, it will not be long.
const SPACE_BYTES_ENOUGH: u64 = 1 << 30;

/// Folders whose content a program copies to its cloud as it changes, sorted: how their names begin, and whose they are.
const SYNCED: &[(&str, &str)] = &[
    ("BaiduSyncdisk", "百度网盘"),
    ("Box Sync", "Box"),
    ("CloudStorage", "macOS CloudStorage"),
    ("Dropbox", "Dropbox"),
    ("Google Drive", "Google Drive"),
    ("GoogleDrive", "Google Drive"),
    ("Mobile Documents", "iCloud Drive"),
    ("Nutstore", "坚果云 Nutstore"),
    ("OneDrive", "OneDrive"),
    ("WPS云盘", "WPS 云盘"),
    ("iCloud Drive", "iCloud Drive"),
    ("iCloudDrive", "iCloud Drive"),
    ("坚果云", "坚果云 Nutstore"),
    ("我的坚果云", "坚果云 Nutstore"),
];

/// File systems over a network, or of another system's, by the kernel's names for them, sorted.
const NETWORK_FILE_SYSTEMS: &[&str] =
    &["9p", "afs", "ceph", "cifs", "fuse.sshfs", "glusterfs", "nfs", "nfs4", "smb3", "smbfs", "vboxsf", "virtiofs"];

/// Who holds the data folder, and whether they answer.
pub(super) struct Occupant {
    occupancy: Occupancy,
    answers: bool,
}

impl Occupant {
    pub(super) async fn of(path: &Path) -> Occupant {
        let occupancy = DataFolder::occupancy(path);
        let answers = match &occupancy {
            Occupancy::Held(Some(holder)) => hello(holder.port).await.is_some(),
            Occupancy::Held(None) | Occupancy::Left(_) | Occupancy::Free => false,
        };
        Occupant { occupancy, answers }
    }

    /// Whether the emulator that holds the folder listens on `port`.
    pub(super) fn is_on(&self, port: u16) -> bool {
        matches!(&self.occupancy, Occupancy::Held(Some(holder)) if holder.port == port)
    }
}

/// Looks at the folder at `path`, or at the place where it would be made.
pub(super) fn check(path: &Path, occupant: Occupant) -> Vec<Finding> {
    let place = existing(path);
    let mut findings: Vec<Finding> = judge_occupant(path, &occupant).into_iter().collect();
    let is_held = matches!(occupant.occupancy, Occupancy::Held(_));
    match (is_held, judge_writing(path, &place)) {
        (_, Some(fault)) => findings.push(fault),
        (true, None) => {}
        (false, None) => findings.push(Finding::ok("data.writable").with("path", path.display())),
    }
    findings.extend(fs4::available_space(&place).ok().and_then(|bytes| judge_space(path, bytes)));
    let real = std::fs::canonicalize(&place).unwrap_or(place);
    findings.extend(judge_synced(path, &real));
    findings.extend(file_system(&real).and_then(|name| judge_file_system(path, &name)));
    findings
}

/// `path`, or the nearest folder above it that is there.
fn existing(path: &Path) -> PathBuf {
    path.ancestors().find(|folder| folder.exists()).unwrap_or(path).to_path_buf()
}

fn judge_occupant(path: &Path, occupant: &Occupant) -> Option<Finding> {
    let of_holder = |finding: Finding, holder: &Holder| {
        let Holder { pid, port, .. } = holder;
        finding.with("pid", pid).with("port", port).with("command", commands::end_process(*pid))
    };
    let finding = match &occupant.occupancy {
        Occupancy::Free => return None,
        Occupancy::Left(holder) => of_holder(Finding::warning("data.left"), holder),
        Occupancy::Held(Some(holder)) if occupant.answers => of_holder(Finding::ok("data.held"), holder),
        Occupancy::Held(Some(holder)) => of_holder(Finding::fault("data.silent"), holder),
        Occupancy::Held(None) => Finding::fault("data.held-by-stranger"),
    };
    Some(finding.with("path", path.display()))
}

/// Writes at `place`, where `path` is or would be, and takes it back.
fn judge_writing(path: &Path, place: &Path) -> Option<Finding> {
    if place.is_file() {
        let finding = Finding::fault("data.not-a-folder").with("path", path.display());
        return Some(finding.with("file", place.display()).with("command", commands::move_away(place)));
    }
    let error = tempfile::tempfile_in(place).err()?;
    let finding = Finding::fault("data.unwritable").with("path", path.display()).with("error", error);
    Some(finding.with("command", commands::own(place)))
}

fn judge_space(path: &Path, bytes: u64) -> Option<Finding> {
    let finding = match bytes {
        ..SPACE_BYTES_MIN => Finding::fault("data.full"),
        SPACE_BYTES_MIN..SPACE_BYTES_ENOUGH => Finding::warning("data.little-space"),
        SPACE_BYTES_ENOUGH.. => return None,
    };
    Some(finding.with("path", path.display()).with("megabytes", bytes >> 20))
}

fn judge_synced(path: &Path, real: &Path) -> Option<Finding> {
    let names = real.components().filter_map(|part| match part {
        Component::Normal(name) => name.to_str(),
        Component::Prefix(_) | Component::RootDir | Component::CurDir | Component::ParentDir => None,
    });
    let owner = names
        .into_iter()
        .find_map(|name| SYNCED.iter().find(|(start, _)| name.starts_with(start)).map(|(_, owner)| *owner))?;
    Some(Finding::warning("data.synced").with("path", path.display()).with("owner", owner))
}

fn judge_file_system(path: &Path, name: &str) -> Option<Finding> {
    let is_network = NETWORK_FILE_SYSTEMS.contains(&name);
    is_network.then(|| Finding::warning("data.network").with("path", path.display()).with("name", name))
}

/// The name of the file system that holds `real`, where that can be told cheaply.
fn file_system(real: &Path) -> Option<String> {
    if cfg!(windows) {
        let text = real.as_os_str().to_string_lossy();
        let is_share = text.starts_with(r"\\?\UNC\") || (text.starts_with(r"\\") && !text.starts_with(r"\\?\"));
        return is_share.then(|| "smbfs".to_owned());
    }
    file_system_in(&std::fs::read_to_string("/proc/self/mounts").ok()?, real)
}

/// The same, by a list of mounts as the kernel writes it: what, where, which file system, how. The deepest mount counts, and of
/// two at one place the later one.
fn file_system_in(mounts: &str, real: &Path) -> Option<String> {
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        Some((words.next()?.replace(r"\040", " "), words.next()?))
    });
    let around = mounts.filter(|(place, _)| real.starts_with(OsStr::new(place)));
    around.max_by_key(|(place, _)| Path::new(place).components().count()).map(|(_, name)| name.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn tables_are_sorted() {
        assert!(SYNCED.is_sorted());
        assert!(NETWORK_FILE_SYSTEMS.is_sorted());
    }

    #[test]
    fn a_synced_folder_is_known_by_its_path() {
        for (path, owner) in [
            ("/Users/me/Library/Mobile Documents/com~apple~CloudDocs/app/.emulator", Some("iCloud Drive")),
            ("/Users/me/Library/CloudStorage/OneDrive-Personal/app", Some("macOS CloudStorage")),
            ("/mnt/c/Users/me/OneDrive - 公司/app", Some("OneDrive")),
            ("/home/me/Nutstore Files/我的坚果云/app", Some("坚果云 Nutstore")),
            ("/home/me/坚果云/app", Some("坚果云 Nutstore")),
            ("/home/me/Dropbox", Some("Dropbox")),
            ("/home/me/onedrive-clone/app", None),
            ("/home/me/app", None),
        ] {
            let finding = judge_synced(Path::new(path), Path::new(path));
            let found = finding.map(|finding| finding.values[1].1.clone());
            assert_eq!(found.as_deref(), owner, "{path}");
        }
    }

    #[test]
    fn the_deepest_mount_counts() {
        let mounts = "overlay / overlay rw 0 0\nserver:/a /home/my\\040disk nfs4 rw 0 0\n/dev/sda /home/my\\040disk/fast ext4 rw 0 0\n\
                      C: /mnt/c drvfs rw 0 0\nC: /mnt/c 9p rw 0 0\n";
        for (path, name, warns) in [
            ("/root", "overlay", false),
            ("/home/my disk/app", "nfs4", true),
            ("/home/my disk/fast/app", "ext4", false),
            ("/mnt/c/app", "9p", true),
            ("/mnt/cat", "overlay", false),
        ] {
            let found = file_system_in(mounts, Path::new(path));
            assert_eq!(found.as_deref(), Some(name), "{path}");
            assert_eq!(judge_file_system(Path::new(path), name).is_some(), warns, "{path}");
        }
    }

    #[test]
    fn little_space_warns_and_none_is_a_fault() {
        for (megabytes, id) in [(0, Some("data.full")), (500, Some("data.little-space")), (5_000, None)] {
            assert_eq!(judge_space(Path::new("/d"), megabytes << 20).map(|finding| finding.id), id);
        }
    }
}
