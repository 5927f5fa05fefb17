//! A reader of the trail's files, in the order of writing, while runs write.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::file::{numbered, numbers};

/// A reader of the trail.
#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    /// The files that aren't read to their end, the oldest first.
    files: VecDeque<Source>,
}

#[derive(Debug)]
struct Source {
    id: (u64, u64),
    file: BufReader<File>,
    /// The beginning of a line whose end isn't written yet.
    partial: Vec<u8>,
}

impl Source {
    fn open(path: &Path) -> io::Result<Option<Self>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let metadata = file.metadata()?;
        Ok(Some(Self {
            id: (metadata.dev(), metadata.ino()),
            file: BufReader::new(file),
            partial: Vec::new(),
        }))
    }
}

impl Tail {
    /// Opens all files of the trail.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut tail = Self {
            path: path.to_owned(),
            files: VecDeque::new(),
        };
        tail.look()?;
        Ok(tail)
    }

    /// Opens the files that are newer than the newest open one.
    pub fn look(&mut self) -> io::Result<()> {
        let known = self.files.back().map(|source| source.id);
        let path = match std::fs::canonicalize(&self.path) {
            Ok(path) => path,
            Err(error) if error.kind() == ErrorKind::NotFound => self.path.clone(),
            Err(error) => return Err(error),
        };
        // The newest file goes first. A file that is rotated meanwhile is then met twice,
        // and not missed.
        let mut newer: Vec<Source> = Vec::new();
        let old = numbers(&path).into_iter();
        let old = old.map(|number| numbered(&path, number));
        for path in std::iter::once(path.clone()).chain(old) {
            match Source::open(&path)? {
                Some(source) if Some(source.id) == known => break,
                Some(source) if newer.iter().any(|other| other.id == source.id) => {}
                Some(source) => newer.push(source),
                None => {}
            }
        }
        self.files.extend(newer.into_iter().rev());
        Ok(())
    }

    /// Reads the next line, without its line end. Returns `None` if there is none yet.
    pub fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            let is_newest = self.files.len() == 1;
            let Some(source) = self.files.front_mut() else {
                return Ok(None);
            };
            source.file.read_until(b'\n', &mut source.partial)?;
            if source.partial.last() == Some(&b'\n') {
                let mut line = std::mem::take(&mut source.partial);
                line.pop();
                return Ok(Some(line));
            }
            if is_newest {
                return Ok(None);
            }
            // No run writes to an old file.
            let torn = std::mem::take(&mut source.partial);
            self.files.pop_front();
            if !torn.is_empty() {
                return Ok(Some(torn));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rotation;
    use crate::file::Writer;

    fn all(tail: &mut Tail) -> Vec<String> {
        std::iter::from_fn(|| tail.line().unwrap())
            .map(|line| String::from_utf8(line).unwrap())
            .collect()
    }

    #[test]
    fn lines_come_in_order_across_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t");
        let mut tail = Tail::open(&path).unwrap();
        assert!(all(&mut tail).is_empty());
        let rotation = Rotation {
            size: 50,
            keep: 100,
        };
        let mut writer = Writer::open(&path, rotation).unwrap();
        let mut seen = Vec::new();
        for number in 0..100 {
            let line = format!("line {number}\n");
            writer.append(line.as_bytes()).unwrap();
            // Several rotations may lie between two looks.
            if number % 17 == 0 {
                tail.look().unwrap();
                seen.extend(all(&mut tail));
            }
        }
        tail.look().unwrap();
        seen.extend(all(&mut tail));
        let expected: Vec<String> = (0..100).map(|number| format!("line {number}")).collect();
        assert_eq!(seen, expected);
        assert_eq!(all(&mut Tail::open(&path).unwrap()), expected);
    }

    #[test]
    fn a_line_counts_once_it_has_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t");
        std::fs::write(&path, "a\nb").unwrap();
        let mut tail = Tail::open(&path).unwrap();
        assert_eq!(all(&mut tail), ["a"]);
        std::fs::write(&path, "a\nbc\n").unwrap();
        assert_eq!(all(&mut tail), ["bc"]);
    }
}
