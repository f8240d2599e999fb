//! Files, folders and links of an image.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tar::{Builder, EntryType, Header};

use crate::libraries;

/// What is in an image, by path without the leading slash. Folders above an entry are made by themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    entries: BTreeMap<String, Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    mode: u32,
    content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    Folder,
    File(Vec<u8>),
    Link(String),
}

impl Tree {
    /// Puts a folder at `path`.
    pub fn folder(&mut self, path: &str, mode: u32) {
        self.put(path, Entry { mode, content: Content::Folder });
    }

    /// Puts a file with these bytes at `path`.
    pub fn file(&mut self, path: &str, mode: u32, bytes: impl Into<Vec<u8>>) {
        self.put(path, Entry { mode, content: Content::File(bytes.into()) });
    }

    /// Puts a symbolic link at `path`.
    pub fn link(&mut self, path: &str, target: &str) {
        self.put(path, Entry { mode: 0o777, content: Content::Link(target.to_owned()) });
    }

    /// Copies a file, or a folder with all that is in it, of this machine to `path`. What a link leads to is copied, not
    /// the link; nobody but root may write to any of it.
    ///
    /// # Errors
    ///
    /// When it cannot be read; the message names it.
    pub fn copy(&mut self, from: &Path, path: &str) -> Result<(), String> {
        let fail = |error: io::Error| format!("{}: {error}", from.display());
        let about = fs::metadata(from).map_err(fail)?;
        if about.is_dir() {
            self.folder(path, 0o755);
            for entry in fs::read_dir(from).map_err(fail)? {
                let entry = entry.map_err(fail)?;
                self.copy(&entry.path(), &format!("{path}/{}", entry.file_name().to_string_lossy()))?;
            }
            return Ok(());
        }
        let mode = if about.permissions().mode() & 0o111 == 0 { 0o644 } else { 0o755 };
        self.file(path, mode, fs::read(from).map_err(fail)?);
        Ok(())
    }

    /// Copies a program, and the libraries that it is linked to.
    ///
    /// # Errors
    ///
    /// When one of them is missing; the message names it.
    pub fn program(&mut self, from: &Path, path: &str) -> Result<(), String> {
        self.copy(from, path)?;
        for library in libraries(from)? {
            let place = library.to_string_lossy().into_owned();
            self.copy(&library, &place)?;
        }
        Ok(())
    }

    /// The bytes of the file at `path`, if there is one.
    #[must_use]
    pub fn bytes(&self, path: &str) -> Option<&[u8]> {
        match &self.entries.get(bare(path))?.content {
            Content::File(bytes) => Some(bytes),
            Content::Folder | Content::Link(_) => None,
        }
    }

    /// All paths, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// Writes all of it as a tar archive, with `time`, in seconds since 1970, as the time of everything.
    pub(crate) fn write(&self, to: impl io::Write, time: u64) -> io::Result<()> {
        let mut archive = Builder::new(to);
        for (path, Entry { mode, content }) in &self.entries {
            let mut header = Header::new_gnu();
            header.set_mode(*mode);
            header.set_mtime(time);
            header.set_uid(0);
            header.set_gid(0);
            match content {
                Content::Folder => {
                    header.set_entry_type(EntryType::Directory);
                    header.set_size(0);
                    archive.append_data(&mut header, format!("{path}/"), io::empty())?;
                }
                Content::File(bytes) => {
                    header.set_entry_type(EntryType::Regular);
                    header.set_size(bytes.len() as u64);
                    archive.append_data(&mut header, path, &bytes[..])?;
                }
                Content::Link(target) => {
                    header.set_entry_type(EntryType::Symlink);
                    header.set_size(0);
                    archive.append_link(&mut header, path, target)?;
                }
            }
        }
        archive.into_inner()?.flush()
    }

    fn put(&mut self, path: &str, entry: Entry) {
        let path = bare(path);
        if let Some((above, _)) = path.rsplit_once('/')
            && !self.entries.contains_key(above)
        {
            self.folder(above, 0o755);
        }
        self.entries.insert(path.to_owned(), entry);
    }
}

fn bare(path: &str) -> &str {
    path.trim_matches('/')
}
