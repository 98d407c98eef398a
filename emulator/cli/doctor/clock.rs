//! The clock: whether it can be right, and whether the time zone is known. serverDate, tokens and logs go by it.

use super::finding::Finding;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// 2024-01-01T00:00:00Z: no emulator was built before.
const YEAR_2024: Duration = Duration::from_secs(1_704_067_200);
/// Clocks of machines that share a disk differ by this much without a mistake.
const TOLERANCE: Duration = Duration::from_secs(10 * 60);
/// The database's newest files lie this deep.
const DEPTH_MAX: usize = 2;
/// So many files tell enough.
const FILES_MAX: usize = 1_000;

/// Looks at this machine's clock, beside the stamps of the files in the data folder at `data`.
pub(super) fn check(data: &Path) -> Vec<Finding> {
    let now = SystemTime::now();
    let program = std::env::current_exe().ok().and_then(|program| modified(&program));
    let fault = judge(now, program, newest(data, DEPTH_MAX, &mut 0), data);
    let zone = iana_time_zone::get_timezone().ok();
    match (fault, judge_zone(zone.as_deref())) {
        (None, None) => vec![Finding::ok("clock.right").with("zone", zone.unwrap_or_default())],
        (fault, warning) => fault.into_iter().chain(warning).collect(),
    }
}

fn judge(
    now: SystemTime,
    program: Option<SystemTime>,
    data_newest: Option<SystemTime>,
    data: &Path,
) -> Option<Finding> {
    let is_before = |moment: SystemTime| now + TOLERANCE < moment;
    if now < UNIX_EPOCH + YEAR_2024 {
        return Some(with_cure(Finding::fault("clock.too-early")));
    }
    if program.is_some_and(is_before) {
        return Some(with_cure(Finding::warning("clock.before-program")));
    }
    let is_ahead = data_newest.is_some_and(is_before);
    is_ahead.then(|| with_cure(Finding::warning("clock.before-data")).with("path", data.display()))
}

fn with_cure(finding: Finding) -> Finding {
    finding.with("command", set_clock())
}

fn judge_zone(zone: Option<&str>) -> Option<Finding> {
    zone.is_none().then(|| Finding::warning("clock.zone-unknown").with("command", set_zone()))
}

/// When the newest file in `folder` was written.
fn newest(folder: &Path, depth: usize, seen: &mut usize) -> Option<SystemTime> {
    let mut newest = None;
    for entry in std::fs::read_dir(folder).ok()?.flatten() {
        *seen += 1;
        if *seen > FILES_MAX {
            break;
        }
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let stamp = match is_folder {
            true if depth > 1 => self::newest(&entry.path(), depth - 1, seen),
            true => None,
            false => modified(&entry.path()),
        };
        newest = newest.max(stamp);
    }
    newest
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).ok()?.modified().ok()
}

fn set_clock() -> &'static str {
    if cfg!(windows) {
        "w32tm /resync"
    } else if cfg!(target_os = "macos") {
        "sudo sntp -sS time.apple.com"
    } else {
        "sudo timedatectl set-ntp true"
    }
}

fn set_zone() -> &'static str {
    if cfg!(windows) {
        "tzutil /s \"China Standard Time\""
    } else if cfg!(target_os = "macos") {
        "sudo systemsetup -settimezone Asia/Shanghai"
    } else {
        "sudo timedatectl set-timezone Asia/Shanghai"
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn a_clock_that_cannot_be_right_is_found() {
        let year = |years: u64| UNIX_EPOCH + Duration::from_secs(years * 365 * 86_400);
        let hour = Duration::from_secs(3_600);
        for (now, program, data, id) in [
            (year(57), Some(year(56)), Some(year(56)), None),
            (year(57), None, None, None),
            (year(57), Some(year(57) + TOLERANCE), None, None),
            (year(5), Some(year(56)), None, Some("clock.too-early")),
            (year(57), Some(year(57) + hour), None, Some("clock.before-program")),
            (year(57), Some(year(56)), Some(year(57) + hour), Some("clock.before-data")),
        ] {
            assert_eq!(judge(now, program, data, Path::new("/d")).map(|finding| finding.id), id);
        }
    }

    #[test]
    fn the_newest_file_counts_however_deep() {
        let folder = tempfile::tempdir().unwrap();
        let ahead = SystemTime::now() + Duration::from_secs(86_400);
        std::fs::create_dir(folder.path().join("database")).unwrap();
        std::fs::write(folder.path().join("a"), "").unwrap();
        let file = std::fs::File::create(folder.path().join("database/db")).unwrap();
        file.set_modified(ahead).unwrap();
        assert_eq!(newest(folder.path(), DEPTH_MAX, &mut 0), Some(ahead));
        assert_eq!(newest(&folder.path().join("missing"), DEPTH_MAX, &mut 0), None);
    }
}
