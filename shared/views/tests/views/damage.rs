//! Whatever block of a view's file is damaged, the view opens, be it empty, to come back from the log.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use model::log::Stream;
use views::audit::VIEW;

use super::{account, audit_event, open, project};

const BLOCK: u64 = 4096;
const OTHERS: [u8; 4096] = [0x5a; 4096];
const EVENTS: u64 = 400;

/// The file of the one generation of a view.
fn file(directory: &Path) -> PathBuf {
    let generations = fs::read_dir(directory.join(VIEW.name())).unwrap().map(|entry| entry.unwrap().path().join("db"));
    let mut files: Vec<PathBuf> = generations.filter(|path| path.is_file()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn no_damaged_block_keeps_a_view_from_opening() {
    let whole = tempfile::tempdir().unwrap();
    let views = open(whole.path());
    for number in 0..EVENTS {
        let event = audit_event(&format!("e{number}"), 1, &format!("type{number}"));
        project(&views, VIEW, Stream::Audit, number + 1, &[(account("main"), event)]);
    }
    views.slot(VIEW).store().flush().unwrap();
    drop(views);
    // What is not written is a hole behind the last page.
    let length = fs::metadata(file(whole.path())).unwrap().len();
    let blocks = (length / BLOCK).min(64);
    assert!(blocks > 8, "{length} bytes");
    for block in 0..blocks {
        let damaged = tempfile::tempdir().unwrap();
        copy(whole.path(), damaged.path());
        let mut db = File::options().write(true).open(file(damaged.path())).unwrap();
        db.seek(SeekFrom::Start(block * BLOCK)).unwrap();
        db.write_all(&OTHERS).unwrap();
        drop(db);
        drop(open(damaged.path()));
    }
}
