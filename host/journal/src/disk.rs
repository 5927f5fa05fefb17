//! Changes of files, with a failpoint at each.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;

/// Appends a line in one write.
pub(super) fn write(mut file: &File, line: &[u8]) -> std::io::Result<()> {
    failpoint::before_write(&mut file, line)?;
    file.write_all(line)?;
    failpoint::after_write();
    Ok(())
}

/// Removes a file, unless it's gone already.
pub(super) fn remove(path: &Path) -> std::io::Result<()> {
    failpoint::before_write(&mut std::io::sink(), &[])?;
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    failpoint::after_write();
    Ok(())
}

/// Renames a file, in place of an existing one.
pub(super) fn rename(from: &Path, to: &Path) -> std::io::Result<()> {
    failpoint::before_write(&mut std::io::sink(), &[])?;
    std::fs::rename(from, to)?;
    failpoint::after_write();
    Ok(())
}
