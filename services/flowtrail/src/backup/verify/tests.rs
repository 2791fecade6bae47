use std::path::PathBuf;

use model::time::Timestamp;
use serde_json::json;
use tempfile::TempDir;

use super::super::folder::sums;
use super::*;

/// A backup of files that no server has made.
fn backup() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let stream = |name: &str| {
        let text = format!("what {name} holds");
        fs::write(folder.path().join(StreamFile::name_of(name)), &text).unwrap();
        StreamFile {
            name: name.to_owned(),
            length: text.len() as u64,
            sha256: hexadecimal(Sha256::new_with_prefix(&text)),
            configuration: json!({ "name": name }),
            state: json!({ "messages": 3, "last_seq": 5 }),
        }
    };
    let time = Timestamp::EPOCH;
    let manifest =
        Manifest::new("2.15.1".to_owned(), (time, time), Some("key".to_owned()), SNAPSHOT_ORDER.map(stream).into());
    let text = manifest.write().unwrap();
    fs::write(folder.path().join(SUMS), sums(text.as_bytes(), &manifest.streams)).unwrap();
    fs::write(folder.path().join(MANIFEST), text).unwrap();
    folder
}

fn files(folder: &TempDir) -> Vec<PathBuf> {
    let files: Vec<PathBuf> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), SNAPSHOT_ORDER.len() + 2);
    files
}

/// What is said of the backup's damage.
fn said(folder: &TempDir) -> String {
    let damages = verify(folder.path()).unwrap().unwrap_err();
    damages.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_backup_that_is_as_it_was_made_is_whole() {
    let folder = backup();
    let manifest = verify(folder.path()).unwrap().unwrap();
    assert_eq!(manifest.streams.len(), SNAPSHOT_ORDER.len());
    assert_eq!((manifest.streams[0].messages(), manifest.streams[0].last_sequence()), (3, 5));
    assert_eq!(manifest.master_key.as_deref(), Some("key"));
}

#[test]
fn a_file_that_is_missing_shorter_or_altered_is_named() {
    for path in files(&backup()) {
        let name = path.file_name().unwrap().to_str().unwrap();
        let told = |harm: &dyn Fn(&Path)| {
            let folder = backup();
            harm(&folder.path().join(name));
            said(&folder)
        };
        let missing = told(&|path| fs::remove_file(path).unwrap());
        assert_eq!(missing, format!("{name}: it is missing"));
        let shorter = told(&|path| {
            let length = fs::metadata(path).unwrap().len();
            File::options().write(true).open(path).unwrap().set_len(length / 2).unwrap();
        });
        assert!(shorter.contains(&format!("{name}: it")), "{shorter}");
        let emptied = told(&|path| fs::write(path, "").unwrap());
        assert!(emptied.contains(&format!("{name}: ")), "{emptied}");
        let altered = told(&|path| {
            let mut bytes = fs::read(path).unwrap();
            let last = bytes.len() - 3;
            bytes[last] ^= 1;
            fs::write(path, bytes).unwrap();
        });
        assert!(altered.contains(&format!("{name}: ")), "{altered}");
        // Nothing else is blamed.
        assert!(!altered.contains('\n') || name == MANIFEST, "{altered}");
    }
}

#[test]
fn a_number_in_the_manifest_that_was_changed_is_noticed() {
    let folder = backup();
    let path = folder.path().join(MANIFEST);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("\"messages\": 3", "\"messages\": 4", 1)).unwrap();
    assert_eq!(said(&folder), "manifest.json: its SHA-256 is another one than when the backup was made");
}

#[test]
fn a_file_that_belongs_to_no_backup_is_named() {
    let folder = backup();
    fs::write(folder.path().join("master.key"), "x").unwrap();
    assert_eq!(said(&folder), "master.key: it belongs to no backup");
}

#[test]
fn a_manifest_of_another_format_or_of_other_streams_is_refused() {
    let folder = backup();
    let path = folder.path().join(MANIFEST);
    let text = fs::read_to_string(&path).unwrap();
    for (old, new, told) in [
        ("\"format\": 1", "\"format\": 2", "manifest.json: format 2 is of another Flowtrail; this one reads 1"),
        ("FLOWTRAIL_ACCESS", "FLOWTRAIL_EXCESS", "manifest.json: its streams are FLOWTRAIL_DELIVERY, "),
        ("FLOWTRAIL_ACCESS", "../../etc/passwd", "manifest.json: its streams are FLOWTRAIL_DELIVERY, "),
    ] {
        fs::write(&path, text.replace(old, new)).unwrap();
        assert!(said(&folder).contains(told), "{}", said(&folder));
    }
}

#[test]
fn what_is_no_folder_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    assert!(verify(&folder.path().join("nowhere")).is_err());
    assert_eq!(said(&folder), "SHA256SUMS: it is missing\nmanifest.json: it is missing");
}
