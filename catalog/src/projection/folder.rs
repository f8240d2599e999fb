//! The folder of the search index: generations side by side, and one file that says which is current.
//!
//! A generation is built in a folder of its own; naming it in `CURRENT` (written beside and renamed) is
//! the atomic step that puts it in place of the last one. What a crash leaves behind is swept away.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::PathBuf;

/// The folder.
#[derive(Debug, Clone)]
pub(super) struct Folder(PathBuf);

/// Held by the one process that may write here.
#[derive(Debug)]
pub(super) struct Owner(#[allow(dead_code, reason = "the lock lasts as long as the file is open")] File);

impl Folder {
    pub(super) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Takes the folder for this process; `None` while another one has it.
    pub(super) fn own(&self) -> io::Result<Option<Owner>> {
        fs::create_dir_all(&self.0)?;
        let file = File::create(self.0.join("LOCK"))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Owner(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// The current generation of the catalogue `identity`, if there is one.
    pub(super) fn current(&self, identity: &str) -> io::Result<Option<PathBuf>> {
        let text = match fs::read_to_string(self.0.join("CURRENT")) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut lines = text.lines();
        let generation = lines.next().filter(|name| number(name).is_some());
        Ok(generation.filter(|_| lines.next() == Some(identity)).map(|name| self.0.join(name)))
    }

    /// An empty folder for the next generation.
    pub(super) fn next(&self) -> io::Result<PathBuf> {
        let highest = self.generations()?.into_iter().map(|(number, _)| number).max().unwrap_or(0);
        let next = self.0.join(format!("{PREFIX}{}", highest + 1));
        fs::create_dir(&next)?;
        Ok(next)
    }

    /// Removes all generations but the current one. Whoever still reads one keeps its files until done.
    pub(super) fn sweep(&self) -> io::Result<()> {
        let current = fs::read_to_string(self.0.join("CURRENT")).unwrap_or_default();
        let current = current.lines().next().map(|name| self.0.join(name));
        for (_, path) in self.generations()? {
            if Some(&path) != current.as_ref() {
                fs::remove_dir_all(path)?;
            }
        }
        Ok(())
    }

    /// Makes `generation` the current one.
    pub(super) fn switch(&self, generation: &std::path::Path, identity: &str) -> io::Result<()> {
        let name = generation.file_name().unwrap_or_default().to_string_lossy();
        let beside = self.0.join("CURRENT.new");
        let mut file = File::create(&beside)?;
        write!(file, "{name}\n{identity}\n")?;
        file.sync_all()?;
        fs::rename(&beside, self.0.join("CURRENT"))?;
        // The rename itself is durable once the folder is.
        File::open(&self.0)?.sync_all()
    }

    fn generations(&self) -> io::Result<Vec<(u64, PathBuf)>> {
        // It may have been taken away under a running process.
        fs::create_dir_all(&self.0)?;
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            if let Some(number) = number(&entry.file_name().to_string_lossy()) {
                found.push((number, entry.path()));
            }
        }
        Ok(found)
    }
}

const PREFIX: &str = "generation-";

fn number(name: &str) -> Option<u64> {
    name.strip_prefix(PREFIX)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_is_current_only_once_it_is_named() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path().join("search"));
        let owner = folder.own().unwrap();
        assert!(owner.is_some());
        assert!(folder.own().unwrap().is_none(), "one process at a time");
        assert_eq!(folder.current("a").unwrap(), None);
        let first = folder.next().unwrap();
        assert_eq!(folder.current("a").unwrap(), None, "not yet");
        folder.switch(&first, "a").unwrap();
        assert_eq!(folder.current("a").unwrap(), Some(first.clone()));
        assert_eq!(folder.current("b").unwrap(), None, "of another catalogue");

        // A crash while the second one is built: the first stays, the second is swept away.
        let second = folder.next().unwrap();
        fs::write(second.join("half"), "x").unwrap();
        folder.sweep().unwrap();
        let third = folder.next().unwrap();
        assert!(first.exists() && !second.join("half").exists() && third.exists());
        folder.switch(&third, "a").unwrap();
        folder.sweep().unwrap();
        assert!(!first.exists() && third.exists());
    }

    #[test]
    fn garbage_in_the_pointer_is_no_generation() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::new(root.path().to_owned());
        for garbage in [&b"\xff\xfe"[..], b"", b"../../etc\na\n", b"generation-\na\n", b"generation-1"] {
            fs::write(root.path().join("CURRENT"), garbage).unwrap();
            assert_eq!(folder.current("a").unwrap(), None, "{garbage:?}");
        }
    }
}
