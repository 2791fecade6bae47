//! Whatever happens to a view's files, nothing wrong is ever answered: what is damaged is named, and comes back from
//! the log.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde_json::json;
use testkit::eventually;

use crate::flowtrail::{Flowtrail, Topology, sample};

/// What is done to the files of a view.
#[derive(Clone, Copy, Debug)]
enum Harm {
    Halved,
    Emptied,
    /// Bytes in the middle are others.
    Overwritten,
    FirstPageZeroed,
    NoConfiguration,
    Removed,
    NoCurrent,
}

/// The directory of a view's one generation.
fn generation(view: &Path) -> PathBuf {
    let mut generations: Vec<PathBuf> = fs::read_dir(view).unwrap().map(|entry| entry.unwrap().path()).collect();
    generations.retain(|path| path.is_dir());
    assert_eq!(generations.len(), 1, "{generations:?}");
    generations.remove(0)
}

fn overwrite(path: &Path, from: u64, bytes: usize) {
    let mut file = File::options().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(from)).unwrap();
    file.write_all(&vec![0x5a; bytes]).unwrap();
}

fn harm(view: &Path, harm: Harm) {
    let generation = generation(view);
    let db = generation.join("db");
    let length = fs::metadata(&db).unwrap().len();
    match harm {
        Harm::Halved => File::options().write(true).open(&db).unwrap().set_len(length / 2).unwrap(),
        Harm::Emptied => File::options().write(true).open(&db).unwrap().set_len(0).unwrap(),
        Harm::Overwritten => {
            for part in 1..8 {
                overwrite(&db, length * part / 8, 64.min(usize::try_from(length / 16).unwrap()));
            }
        }
        Harm::FirstPageZeroed => overwrite(&db, 0, 4096),
        Harm::NoConfiguration => fs::remove_file(generation.join("conf")).unwrap(),
        Harm::Removed => fs::remove_dir_all(&generation).unwrap(),
        Harm::NoCurrent => {
            let _ = fs::remove_file(view.join("CURRENT"));
        }
    }
}

#[tokio::test]
async fn a_view_with_damaged_files_comes_back_from_the_log() {
    let mut flowtrail = Flowtrail::start(Topology::Together).await;
    let files = ["zeek-conn-nashua.ndjson", "zeek-conn-scranton.ndjson"].map(sample);
    let import = ["import".into(), "zeek-conn".into()].into_iter().chain(files);
    flowtrail.succeed(import);
    flowtrail.has_traffic(613).await;
    let event = json!({"id": "e1", "event_type": "door.open"});
    assert_eq!(flowtrail.request("POST", "/api/events/audit").json(&event).send().await.unwrap().status(), 202);
    let views = ["traffic", "audit"];
    let before = views.map(|view| flowtrail.succeed(["dump", view]));
    let harms = [
        Harm::Halved,
        Harm::Emptied,
        Harm::Overwritten,
        Harm::FirstPageZeroed,
        Harm::NoConfiguration,
        Harm::Removed,
        Harm::NoCurrent,
    ];
    for kind in harms {
        flowtrail.stop();
        for view in views {
            harm(&flowtrail.views().join(view), kind);
        }
        flowtrail.start_processes();
        // Whatever is read until then is a part of what was there, never something else.
        eventually("everything is back", async || {
            let total = flowtrail.traffic_total("").await;
            assert!(total <= 613, "{kind:?}: {total} records");
            let events = flowtrail.get("/api/events/audit?activity_code=door.open").await;
            (total == 613 && events.as_array().unwrap().len() == 1).then_some(())
        })
        .await;
        eventually("the views are as before", async || {
            (views.map(|view| flowtrail.succeed(["dump", view])) == before).then_some(())
        })
        .await;
    }
    let logs = fs::read_to_string(flowtrail.logs()).unwrap();
    assert!(logs.contains("damaged"), "{logs}");
    assert!(!logs.contains("panicked"), "{logs}");
}
