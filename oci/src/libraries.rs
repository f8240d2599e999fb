//! The libraries that a program is linked to.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The paths of all libraries of `program`, and of its loader, as `ldd` finds them on this machine; none if it is linked
/// statically.
///
/// # Errors
///
/// When one is missing; the message has the program's and its name.
pub fn libraries(program: &Path) -> Result<Vec<PathBuf>, String> {
    let output = Command::new("ldd").arg(program).output().map_err(|error| format!("ldd: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    if complaint.contains("not a dynamic executable") || said.contains("statically linked") {
        return Ok(Vec::new());
    }
    if !output.status.success() {
        return Err(format!("ldd {}: {complaint}", program.display()));
    }
    parse(&said).map_err(|missing| format!("{} needs {missing}, which was not found", program.display()))
}

/// Lines such as `libm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x…)` and `/lib64/ld-linux-x86-64.so.2 (0x…)`; an error
/// is the name of a library that is not there.
fn parse(said: &str) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    for line in said.lines().map(str::trim) {
        let (name, place) = line.split_once(" => ").unwrap_or((line, line));
        if place.starts_with("not found") {
            return Err(name.to_owned());
        }
        // The kernel's own, linux-vdso, has no path.
        if let Some(path) = place.split_whitespace().next().filter(|it| it.starts_with('/')) {
            found.push(path.into());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read() {
        let said = "\tlinux-vdso.so.1 (0x1)\n\tlibm.so.6 => /lib/x/libm.so.6 (0x2)\n\t/lib64/ld-linux.so.2 (0x3)\n";
        assert_eq!(parse(said), Ok(vec!["/lib/x/libm.so.6".into(), "/lib64/ld-linux.so.2".into()]));
    }

    #[test]
    fn a_missing_one_is_told() {
        assert_eq!(parse("\tlibaio.so.1 => not found\n"), Err("libaio.so.1".to_owned()));
    }

    #[test]
    fn this_test_has_some() {
        let found = libraries(&std::env::current_exe().unwrap()).unwrap();
        assert!(found.iter().any(|path| path.to_string_lossy().contains("libc.so")), "{found:?}");
    }
}
