//! Files: the file system that a function's code sees. `/tmp` is a private folder of its worker.
//! Only that folder can be written. What may be read, and by other ways than files, is decided by the permissions (`worker.rs`).

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use deno_runtime::deno_fs::{FileSystem, FsDirEntry, FsFileType, FsReadDirRc, OpenOptions, RealFs};
use deno_runtime::deno_io::fs::{File, FsError, FsResult, FsStat, FsStatFs};
use deno_runtime::deno_permissions::{CheckedPath, CheckedPathBuf};

/// The name that functions know their private folder by.
const PUBLIC_TMP: &str = "/tmp";

/// The real file system, with `/tmp` led elsewhere.
#[derive(Debug, Clone)]
pub(crate) struct WorkerFiles {
    private: PathBuf,
    /// Folders that are themselves even where they lie below `/tmp`.
    itself: Vec<PathBuf>,
}

impl WorkerFiles {
    /// `private` is what `/tmp` leads to; paths below `itself` and `private` stay what they are.
    pub(crate) fn new(private: PathBuf, itself: Vec<PathBuf>) -> WorkerFiles {
        WorkerFiles { private, itself }
    }

    fn lead<'a>(&self, path: &'a Path) -> Cow<'a, Path> {
        if path.starts_with(&self.private) || self.itself.iter().any(|folder| path.starts_with(folder)) {
            return Cow::Borrowed(path);
        }
        match path.strip_prefix(PUBLIC_TMP) {
            Ok(rest) if rest.as_os_str().is_empty() => Cow::Owned(self.private.clone()),
            Ok(rest) => Cow::Owned(self.private.join(rest)),
            Err(_) => Cow::Borrowed(path),
        }
    }

    fn path<'a>(&self, path: &'a CheckedPath<'_>) -> CheckedPath<'a> {
        CheckedPath::unsafe_new(self.lead(path))
    }

    fn owned(&self, path: CheckedPathBuf) -> CheckedPathBuf {
        let path = path.into_path_buf();
        match self.lead(&path) {
            Cow::Borrowed(_) => CheckedPathBuf::unsafe_new(path),
            Cow::Owned(led) => CheckedPathBuf::unsafe_new(led),
        }
    }

    /// Where a path leads that is to be written: only the private folder can be, all else is read-only as in the cloud.
    fn writable<'a>(&self, path: &'a CheckedPath<'_>) -> FsResult<CheckedPath<'a>> {
        let led = self.lead(path);
        if led.starts_with(&self.private) { Ok(CheckedPath::unsafe_new(led)) } else { Err(read_only()) }
    }

    fn writable_owned(&self, path: CheckedPathBuf) -> FsResult<CheckedPathBuf> {
        let led = self.owned(path);
        if led.starts_with(&self.private) { Ok(led) } else { Err(read_only()) }
    }

    fn opened<'a>(&self, path: &'a CheckedPath<'_>, options: OpenOptions) -> FsResult<CheckedPath<'a>> {
        if may_write(options) { self.writable(path) } else { Ok(self.path(path)) }
    }

    /// The other way: what user code is told a path is called.
    fn public(&self, path: PathBuf) -> PathBuf {
        match path.strip_prefix(&self.private) {
            Ok(rest) if rest.as_os_str().is_empty() => PathBuf::from(PUBLIC_TMP),
            Ok(rest) => Path::new(PUBLIC_TMP).join(rest),
            Err(_) => path,
        }
    }
}

fn may_write(options: OpenOptions) -> bool {
    options.write || options.append || options.create || options.create_new || options.truncate
}

#[cfg(unix)]
fn read_only() -> FsError {
    // With the system's own number, which Node's error codes are made from.
    std::io::Error::from(rustix::io::Errno::ROFS).into()
}

#[cfg(not(unix))]
fn read_only() -> FsError {
    std::io::Error::from(std::io::ErrorKind::ReadOnlyFilesystem).into()
}

#[async_trait::async_trait(?Send)]
impl FileSystem for WorkerFiles {
    fn cwd(&self) -> FsResult<PathBuf> {
        RealFs.cwd()
    }

    fn tmp_dir(&self) -> FsResult<PathBuf> {
        Ok(PathBuf::from(PUBLIC_TMP))
    }

    fn chdir(&self, path: &CheckedPath<'_>) -> FsResult<()> {
        RealFs.chdir(&self.path(path))
    }

    fn umask(&self, mask: Option<u32>) -> FsResult<u32> {
        RealFs.umask(mask)
    }

    fn open_sync(&self, path: &CheckedPath<'_>, options: OpenOptions) -> FsResult<Rc<dyn File>> {
        RealFs.open_sync(&self.opened(path, options)?, options)
    }

    async fn open_async<'a>(&'a self, path: CheckedPathBuf, options: OpenOptions) -> FsResult<Rc<dyn File>> {
        let path = if may_write(options) { self.writable_owned(path)? } else { self.owned(path) };
        RealFs.open_async(path, options).await
    }

    fn mkdir_sync(&self, path: &CheckedPath<'_>, recursive: bool, mode: Option<u32>) -> FsResult<()> {
        RealFs.mkdir_sync(&self.writable(path)?, recursive, mode)
    }

    async fn mkdir_async(&self, path: CheckedPathBuf, recursive: bool, mode: Option<u32>) -> FsResult<()> {
        RealFs.mkdir_async(self.writable_owned(path)?, recursive, mode).await
    }

    #[cfg(unix)]
    fn chmod_sync(&self, path: &CheckedPath<'_>, mode: u32) -> FsResult<()> {
        RealFs.chmod_sync(&self.writable(path)?, mode)
    }

    #[cfg(not(unix))]
    fn chmod_sync(&self, path: &CheckedPath<'_>, mode: i32) -> FsResult<()> {
        RealFs.chmod_sync(&self.writable(path)?, mode)
    }

    #[cfg(unix)]
    async fn chmod_async(&self, path: CheckedPathBuf, mode: u32) -> FsResult<()> {
        RealFs.chmod_async(self.writable_owned(path)?, mode).await
    }

    #[cfg(not(unix))]
    async fn chmod_async(&self, path: CheckedPathBuf, mode: i32) -> FsResult<()> {
        RealFs.chmod_async(self.writable_owned(path)?, mode).await
    }

    fn chown_sync(&self, path: &CheckedPath<'_>, uid: Option<u32>, gid: Option<u32>) -> FsResult<()> {
        RealFs.chown_sync(&self.writable(path)?, uid, gid)
    }

    async fn chown_async(&self, path: CheckedPathBuf, uid: Option<u32>, gid: Option<u32>) -> FsResult<()> {
        RealFs.chown_async(self.writable_owned(path)?, uid, gid).await
    }

    fn lchmod_sync(&self, path: &CheckedPath<'_>, mode: u32) -> FsResult<()> {
        RealFs.lchmod_sync(&self.writable(path)?, mode)
    }

    async fn lchmod_async(&self, path: CheckedPathBuf, mode: u32) -> FsResult<()> {
        RealFs.lchmod_async(self.writable_owned(path)?, mode).await
    }

    fn lchown_sync(&self, path: &CheckedPath<'_>, uid: Option<u32>, gid: Option<u32>) -> FsResult<()> {
        RealFs.lchown_sync(&self.writable(path)?, uid, gid)
    }

    async fn lchown_async(&self, path: CheckedPathBuf, uid: Option<u32>, gid: Option<u32>) -> FsResult<()> {
        RealFs.lchown_async(self.writable_owned(path)?, uid, gid).await
    }

    fn remove_sync(&self, path: &CheckedPath<'_>, recursive: bool) -> FsResult<()> {
        RealFs.remove_sync(&self.writable(path)?, recursive)
    }

    async fn remove_async(&self, path: CheckedPathBuf, recursive: bool) -> FsResult<()> {
        RealFs.remove_async(self.writable_owned(path)?, recursive).await
    }

    fn copy_file_sync(&self, old: &CheckedPath<'_>, new: &CheckedPath<'_>) -> FsResult<()> {
        RealFs.copy_file_sync(&self.path(old), &self.writable(new)?)
    }

    async fn copy_file_async(&self, old: CheckedPathBuf, new: CheckedPathBuf) -> FsResult<()> {
        RealFs.copy_file_async(self.owned(old), self.writable_owned(new)?).await
    }

    fn cp_sync(&self, old: &CheckedPath<'_>, new: &CheckedPath<'_>) -> FsResult<()> {
        RealFs.cp_sync(&self.path(old), &self.writable(new)?)
    }

    async fn cp_async(&self, old: CheckedPathBuf, new: CheckedPathBuf) -> FsResult<()> {
        RealFs.cp_async(self.owned(old), self.writable_owned(new)?).await
    }

    fn stat_sync(&self, path: &CheckedPath<'_>) -> FsResult<FsStat> {
        RealFs.stat_sync(&self.path(path))
    }

    async fn stat_async(&self, path: CheckedPathBuf) -> FsResult<FsStat> {
        RealFs.stat_async(self.owned(path)).await
    }

    fn lstat_sync(&self, path: &CheckedPath<'_>) -> FsResult<FsStat> {
        RealFs.lstat_sync(&self.path(path))
    }

    async fn lstat_async(&self, path: CheckedPathBuf) -> FsResult<FsStat> {
        RealFs.lstat_async(self.owned(path)).await
    }

    fn statfs_sync(&self, path: &CheckedPath<'_>, bigint: bool) -> FsResult<FsStatFs> {
        RealFs.statfs_sync(&self.path(path), bigint)
    }

    async fn statfs_async(&self, path: CheckedPathBuf, bigint: bool) -> FsResult<FsStatFs> {
        RealFs.statfs_async(self.owned(path), bigint).await
    }

    fn realpath_sync(&self, path: &CheckedPath<'_>) -> FsResult<PathBuf> {
        RealFs.realpath_sync(&self.path(path)).map(|path| self.public(path))
    }

    async fn realpath_async(&self, path: CheckedPathBuf) -> FsResult<PathBuf> {
        RealFs.realpath_async(self.owned(path)).await.map(|path| self.public(path))
    }

    fn read_dir_sync(&self, path: &CheckedPath<'_>) -> FsResult<Vec<FsDirEntry>> {
        RealFs.read_dir_sync(&self.path(path))
    }

    async fn read_dir_async(&self, path: CheckedPathBuf) -> FsResult<FsReadDirRc> {
        RealFs.read_dir_async(self.owned(path)).await
    }

    fn rename_sync(&self, old: &CheckedPath<'_>, new: &CheckedPath<'_>) -> FsResult<()> {
        RealFs.rename_sync(&self.writable(old)?, &self.writable(new)?)
    }

    async fn rename_async(&self, old: CheckedPathBuf, new: CheckedPathBuf) -> FsResult<()> {
        RealFs.rename_async(self.writable_owned(old)?, self.writable_owned(new)?).await
    }

    fn rmdir_sync(&self, path: &CheckedPath<'_>) -> FsResult<()> {
        RealFs.rmdir_sync(&self.writable(path)?)
    }

    async fn rmdir_async(&self, path: CheckedPathBuf) -> FsResult<()> {
        RealFs.rmdir_async(self.writable_owned(path)?).await
    }

    fn link_sync(&self, old: &CheckedPath<'_>, new: &CheckedPath<'_>) -> FsResult<()> {
        RealFs.link_sync(&self.writable(old)?, &self.writable(new)?)
    }

    async fn link_async(&self, old: CheckedPathBuf, new: CheckedPathBuf) -> FsResult<()> {
        RealFs.link_async(self.writable_owned(old)?, self.writable_owned(new)?).await
    }

    fn symlink_sync(
        &self,
        old: &CheckedPath<'_>,
        new: &CheckedPath<'_>,
        file_type: Option<FsFileType>,
    ) -> FsResult<()> {
        RealFs.symlink_sync(&self.writable(old)?, &self.writable(new)?, file_type)
    }

    async fn symlink_async(
        &self,
        old: CheckedPathBuf,
        new: CheckedPathBuf,
        file_type: Option<FsFileType>,
    ) -> FsResult<()> {
        RealFs.symlink_async(self.writable_owned(old)?, self.writable_owned(new)?, file_type).await
    }

    fn read_link_sync(&self, path: &CheckedPath<'_>) -> FsResult<PathBuf> {
        RealFs.read_link_sync(&self.path(path)).map(|path| self.public(path))
    }

    async fn read_link_async(&self, path: CheckedPathBuf) -> FsResult<PathBuf> {
        RealFs.read_link_async(self.owned(path)).await.map(|path| self.public(path))
    }

    fn truncate_sync(&self, path: &CheckedPath<'_>, length: u64) -> FsResult<()> {
        RealFs.truncate_sync(&self.writable(path)?, length)
    }

    async fn truncate_async(&self, path: CheckedPathBuf, length: u64) -> FsResult<()> {
        RealFs.truncate_async(self.writable_owned(path)?, length).await
    }

    fn utime_sync(
        &self,
        path: &CheckedPath<'_>,
        a_seconds: i64,
        a_nanos: u32,
        m_seconds: i64,
        m_nanos: u32,
    ) -> FsResult<()> {
        RealFs.utime_sync(&self.writable(path)?, a_seconds, a_nanos, m_seconds, m_nanos)
    }

    async fn utime_async(
        &self,
        path: CheckedPathBuf,
        a_seconds: i64,
        a_nanos: u32,
        m_seconds: i64,
        m_nanos: u32,
    ) -> FsResult<()> {
        RealFs.utime_async(self.writable_owned(path)?, a_seconds, a_nanos, m_seconds, m_nanos).await
    }

    fn lutime_sync(
        &self,
        path: &CheckedPath<'_>,
        a_seconds: i64,
        a_nanos: u32,
        m_seconds: i64,
        m_nanos: u32,
    ) -> FsResult<()> {
        RealFs.lutime_sync(&self.writable(path)?, a_seconds, a_nanos, m_seconds, m_nanos)
    }

    async fn lutime_async(
        &self,
        path: CheckedPathBuf,
        a_seconds: i64,
        a_nanos: u32,
        m_seconds: i64,
        m_nanos: u32,
    ) -> FsResult<()> {
        RealFs.lutime_async(self.writable_owned(path)?, a_seconds, a_nanos, m_seconds, m_nanos).await
    }

    fn exists_sync(&self, path: &CheckedPath<'_>) -> bool {
        RealFs.exists_sync(&self.path(path))
    }

    async fn exists_async(&self, path: CheckedPathBuf) -> FsResult<bool> {
        RealFs.exists_async(self.owned(path)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_public_folder_is_led_elsewhere() {
        let files = WorkerFiles::new(PathBuf::from("/tmp/run/worker-1"), vec![PathBuf::from("/tmp/project/functions")]);
        let check = |path: &str, expected: &str| {
            assert_eq!(files.lead(Path::new(path)), Path::new(expected));
        };
        check("/tmp", "/tmp/run/worker-1");
        check("/tmp/a.txt", "/tmp/run/worker-1/a.txt");
        check("/tmp/run/worker-1/a.txt", "/tmp/run/worker-1/a.txt");
        check("/tmp/run/worker-2/a.txt", "/tmp/run/worker-1/run/worker-2/a.txt");
        check("/tmp/project/functions/f/data.json", "/tmp/project/functions/f/data.json");
        check("/home/me", "/home/me");
        assert_eq!(files.public(PathBuf::from("/tmp/run/worker-1/a")), PathBuf::from("/tmp/a"));
    }
}
