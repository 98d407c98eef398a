//! Files and folders that appear all at once: written beside their place under a name of the emulator's own, and moved there
//! when they are whole. What a killed emulator left beside, the next export removes.

use super::ExchangeError;
use crate::seed::{FIXTURE_ENTRIES, FixtureFile};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use tempfile::{NamedTempFile, TempDir};

/// How everything is called that is not whole yet. It is locked for as long as somebody works on it.
const PREFIX: &str = ".emulator-export-";
/// How a folder is called while another one takes its place, where a system cannot exchange two. Never removed unseen.
const PREFIX_REPLACED: &str = ".emulator-replaced-";
/// How often another name is tried when somebody took the first for left over.
const ATTEMPTS: usize = 3;

/// A folder that is being written. Dropped, it is gone.
pub(super) struct FolderDraft {
    folder: TempDir,
    target: PathBuf,
    overwrite: bool,
    _lock: Option<File>,
}

/// A file that is being written. Dropped, it is gone.
pub(super) struct FileDraft {
    file: NamedTempFile,
    target: PathBuf,
    overwrite: bool,
}

/// What stands where a folder is to be.
#[derive(Debug, PartialEq, Eq)]
enum Standing {
    Nothing,
    EmptyFolder,
    Fixtures,
}

impl FolderDraft {
    /// Begins to write what is to be `target`: a folder that is missing or empty or, with `overwrite`, one of fixtures.
    pub(super) fn begin(target: &Path, overwrite: bool) -> Result<FolderDraft, ExchangeError> {
        let target = fs::canonicalize(target).unwrap_or_else(|_| target.to_path_buf());
        check_target(&target, overwrite)?;
        let parent = make_parent(&target)?;
        sweep(parent);
        let failed = || ExchangeError::io(parent);
        for _ in 0..ATTEMPTS {
            let folder = builder(0o777).tempdir_in(parent).map_err(failed())?;
            let lock = lock_folder(folder.path());
            if folder.path().is_dir() {
                return Ok(FolderDraft { folder, target, overwrite, _lock: lock });
            }
        }
        Err(failed()(io::Error::other("the folder for the export was removed at once")))
    }

    /// Where to write.
    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Puts the folder into its place, all at once.
    pub(super) fn place(self) -> Result<(), ExchangeError> {
        let standing = check_target(&self.target, self.overwrite)?;
        let failed = ExchangeError::io(&self.target);
        match standing {
            Standing::Nothing => fs::rename(self.path(), &self.target).map_err(failed)?,
            Standing::EmptyFolder => {
                fs::remove_dir(&self.target).and_then(|()| fs::rename(self.path(), &self.target)).map_err(failed)?;
            }
            // What was there before is then where this was, and goes with it.
            Standing::Fixtures => return exchange(self.path(), &self.target).map_err(failed),
        }
        let _moved = self.folder.keep();
        Ok(())
    }
}

impl FileDraft {
    /// Begins to write what is to be the file `target`; with `overwrite`, in place of one that is there.
    pub(super) fn begin(target: &Path, overwrite: bool) -> Result<FileDraft, ExchangeError> {
        if target.is_dir() {
            return Err(ExchangeError::Refused(format!("{} is a folder: name a file", target.display())));
        }
        if !overwrite && target.exists() {
            return Err(taken(target));
        }
        let parent = make_parent(target)?;
        sweep(parent);
        let file = builder(0o666).tempfile_in(parent).map_err(ExchangeError::io(parent))?;
        let _ = file.as_file().try_lock(); // without a lock somebody may take it for left over, no more
        Ok(FileDraft { file, target: target.to_path_buf(), overwrite })
    }

    /// What to write to.
    pub(super) fn file(&self) -> &File {
        self.file.as_file()
    }

    /// Puts the file into its place, all at once.
    pub(super) fn place(self) -> Result<(), ExchangeError> {
        let FileDraft { file, target, overwrite } = self;
        let placed = if overwrite { file.persist(&target) } else { file.persist_noclobber(&target) };
        match placed {
            Ok(_) => Ok(()),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Err(taken(&target)),
            Err(error) => Err(ExchangeError::Io { path: target, source: error.error }),
        }
    }
}

fn taken(target: &Path) -> ExchangeError {
    ExchangeError::Refused(format!("{} exists already: another name, or overwrite it", target.display()))
}

/// Names that say what left them, with rights as those of everything else.
fn builder(mode: u32) -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
    #[cfg(not(unix))]
    let _ = mode;
    builder
}

fn make_parent(target: &Path) -> Result<&Path, ExchangeError> {
    let Some(parent) = target.parent() else {
        return Err(ExchangeError::Refused(format!("{} cannot be written to: name a folder in it", target.display())));
    };
    fs::create_dir_all(parent).map_err(ExchangeError::io(parent))?;
    Ok(parent)
}

/// What stands at `target`, if a folder may be put there.
fn check_target(target: &Path, overwrite: bool) -> Result<Standing, ExchangeError> {
    let refused = |reason: String| Err(ExchangeError::Refused(format!("{}: {reason}", target.display())));
    if !target.exists() {
        return Ok(Standing::Nothing);
    }
    if !target.is_dir() {
        return refused("it is a file; an export makes a folder".to_owned());
    }
    let names = names_in(target)?;
    if names.is_empty() {
        return Ok(Standing::EmptyFolder);
    }
    if let Some(stranger) = stranger_among(target, &names)? {
        return refused(format!(
            "it holds `{stranger}`, which is no part of an export and would be lost: choose another folder"
        ));
    }
    if overwrite {
        Ok(Standing::Fixtures)
    } else {
        refused("it holds fixtures already: another folder, or overwrite them".to_owned())
    }
}

/// Something in the folder that no export would have put there.
fn stranger_among(folder: &Path, names: &[String]) -> Result<Option<String>, ExchangeError> {
    if let Some(stranger) = names.iter().find(|name| !FIXTURE_ENTRIES.contains(&name.as_str())) {
        return Ok(Some(stranger.clone()));
    }
    let database = folder.join(FixtureFile::Database.name());
    let inner = if database.is_dir() { names_in(&database)? } else { Vec::new() };
    let is_stranger = |name: &&String| !name.ends_with(".jsonl") || database.join(name.as_str()).is_dir();
    Ok(inner.iter().find(is_stranger).map(|name| format!("{}/{name}", FixtureFile::Database.name())))
}

fn names_in(folder: &Path) -> Result<Vec<String>, ExchangeError> {
    let names = fs::read_dir(folder).and_then(|entries| {
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect::<io::Result<Vec<_>>>()
    });
    names.map_err(ExchangeError::io(folder))
}

/// Puts each of two folders where the other one is.
fn exchange(new: &Path, target: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_vendor = "apple"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        match renameat_with(CWD, new, CWD, target, RenameFlags::EXCHANGE) {
            Ok(()) => return Ok(()),
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::NOTSUP) => {}
            Err(error) => return Err(error.into()),
        }
    }
    exchange_in_steps(new, target)
}

/// The same on systems and disks that cannot. Killed in the middle, the old folder is beside its place.
fn exchange_in_steps(new: &Path, target: &Path) -> io::Result<()> {
    let beside = tempfile::Builder::new().prefix(PREFIX_REPLACED).tempdir_in(target.parent().unwrap_or(target))?.keep();
    let old = beside.join("old");
    fs::rename(target, &old)?;
    if let Err(error) = fs::rename(new, target) {
        fs::rename(&old, target)?;
        return Err(error);
    }
    fs::remove_dir_all(&beside)
}

/// Removes what killed emulators left in `folder`; as well as it can.
fn sweep(folder: &Path) {
    let Ok(names) = names_in(folder) else { return };
    for path in names.iter().filter(|name| name.starts_with(PREFIX)).map(|name| folder.join(name)) {
        if is_left_over(&path) {
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            if let Err(error) = removed {
                tracing::warn!("{} was left over and cannot be removed: {error}", path.display());
            }
        }
    }
}

/// Whether nobody works on it any more. Where folders cannot be locked, they are never taken for left over.
fn is_left_over(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| file.try_lock().is_ok())
}

/// Locked until it is closed, however the process ends.
fn lock_folder(path: &Path) -> Option<File> {
    let folder = File::open(path).ok()?;
    folder.try_lock().ok()?;
    Some(folder)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names = names_in(folder).unwrap();
        names.sort();
        names
    }

    fn draft(target: &Path, overwrite: bool, content: &str) -> FolderDraft {
        let draft = FolderDraft::begin(target, overwrite).unwrap();
        fs::create_dir(draft.path().join("database")).unwrap();
        fs::write(draft.path().join("database/a.jsonl"), content).unwrap();
        draft
    }

    #[test]
    fn a_folder_appears_whole_or_not_at_all() {
        let around = tempfile::tempdir().unwrap();
        let target = around.path().join("x/y");
        drop(draft(&target, false, "1"));
        assert_eq!(names(&around.path().join("x")), Vec::<String>::new());
        draft(&target, false, "1").place().unwrap();
        assert_eq!(names(&around.path().join("x")), ["y"]);
        fs::create_dir(around.path().join("empty")).unwrap();
        draft(&around.path().join("empty"), false, "1").place().unwrap();
        assert_eq!(names(&around.path().join("empty")), ["database"]);
    }

    #[test]
    fn fixtures_are_exchanged_and_strangers_are_kept() {
        let around = tempfile::tempdir().unwrap();
        let target = around.path().join("y");
        draft(&target, false, "1").place().unwrap();
        assert!(FolderDraft::begin(&target, false).is_err());
        draft(&target, true, "2").place().unwrap();
        assert_eq!(fs::read_to_string(target.join("database/a.jsonl")).unwrap(), "2");
        assert_eq!(names(around.path()), ["y"]);
        for stranger in ["readme.md", "database/notes.txt"] {
            fs::write(target.join(stranger), "").unwrap();
            let Err(error) = FolderDraft::begin(&target, true) else { panic!("{stranger}") };
            assert!(error.to_string().contains(&format!("`{stranger}`")), "{error}");
            fs::remove_file(target.join(stranger)).unwrap();
        }
    }

    #[test]
    fn two_renames_do_it_too() {
        let around = tempfile::tempdir().unwrap();
        let (new, old) = (around.path().join("new"), around.path().join("old"));
        fs::create_dir(&new).unwrap();
        fs::create_dir(&old).unwrap();
        fs::write(new.join("a"), "").unwrap();
        exchange_in_steps(&new, &old).unwrap();
        assert_eq!((names(around.path()), names(&old)), (vec!["old".to_owned()], vec!["a".to_owned()]));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_left_over_goes_and_what_is_worked_on_stays() {
        let around = tempfile::tempdir().unwrap();
        let left = around.path().join(format!("{PREFIX}left"));
        fs::create_dir_all(left.join("database")).unwrap();
        let first = draft(&around.path().join("a"), false, "1");
        let second = draft(&around.path().join("b"), false, "2");
        assert!(!left.exists());
        first.place().unwrap();
        second.place().unwrap();
        assert_eq!(names(around.path()), ["a", "b"]);
    }

    #[test]
    fn files_appear_whole_too() {
        let around = tempfile::tempdir().unwrap();
        let target = around.path().join("a.json");
        drop(FileDraft::begin(&target, false).unwrap());
        FileDraft::begin(&target, false).unwrap().place().unwrap();
        assert!(FileDraft::begin(&target, false).is_err());
        FileDraft::begin(&target, true).unwrap().place().unwrap();
        assert_eq!(names(around.path()), ["a.json"]);
    }
}
