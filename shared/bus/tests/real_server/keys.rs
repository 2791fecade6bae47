use std::path::Path;

use bus::KeyError;
use bytes::Bytes;

use super::started;

#[tokio::test]
async fn a_key_is_read_back() {
    let (_server, bus) = started().await;
    assert_eq!(bus.keys().get("k").await.unwrap(), None);
    bus.keys().create("k", "secret".into()).await.unwrap();
    assert_eq!(bus.keys().get("k").await.unwrap(), Some(Bytes::from("secret")));
}

#[tokio::test]
async fn a_key_is_never_overwritten() {
    let (_server, bus) = started().await;
    bus.keys().create("k", "secret".into()).await.unwrap();
    bus.keys().create("k", "secret".into()).await.unwrap();
    let refused = bus.keys().create("k", "other".into()).await;
    assert!(matches!(refused, Err(KeyError::Exists { .. })), "{refused:?}");
    assert_eq!(bus.keys().get("k").await.unwrap(), Some(Bytes::from("secret")));
}

#[tokio::test]
async fn an_erased_key_is_gone_and_erasing_again_is_fine() {
    let (_server, bus) = started().await;
    bus.keys().create("k", "secret".into()).await.unwrap();
    bus.keys().erase("k").await.unwrap();
    assert_eq!(bus.keys().get("k").await.unwrap(), None);
    bus.keys().erase("k").await.unwrap();
    bus.keys().create("k", "new".into()).await.unwrap();
    assert_eq!(bus.keys().get("k").await.unwrap(), Some(Bytes::from("new")));
}

#[tokio::test]
async fn the_keys_that_are_there_can_be_named() {
    let (_server, bus) = started().await;
    assert_eq!(bus.keys().names().await.unwrap(), Vec::<String>::new());
    for name in ["b", "a", "erased"] {
        bus.keys().create(name, "secret".into()).await.unwrap();
    }
    bus.keys().erase("erased").await.unwrap();
    assert_eq!(bus.keys().names().await.unwrap(), ["a", "b"]);
}

#[tokio::test]
async fn a_name_with_a_wildcard_is_refused() {
    let (_server, bus) = started().await;
    let refused = bus.keys().erase("*").await;
    assert!(matches!(refused, Err(KeyError::BadName { .. })), "{refused:?}");
}

#[tokio::test]
async fn an_erased_keys_bytes_are_on_disk_no_more() {
    let (mut server, bus) = started().await;
    for name in ["before", "erased", "after"] {
        bus.keys().create(name, format!("the bytes of {name}").into()).await.unwrap();
    }
    assert!(on_disk(&server.store(), b"the bytes of erased"), "the test looks in the wrong place");
    bus.keys().erase("erased").await.unwrap();
    assert!(!on_disk(&server.store(), b"the bytes of erased"), "the key is still on disk");

    bus.keys().erase("after").await.unwrap();
    assert!(!on_disk(&server.store(), b"the bytes of after"), "the last key is still on disk");

    server.stop().await;
    assert!(!on_disk(&server.store(), b"the bytes of erased"), "the key came back when the server stopped");
    assert!(on_disk(&server.store(), b"the bytes of before"), "another key is gone");
}

/// Whether any file below the directory has these bytes in it.
fn on_disk(directory: &Path, bytes: &[u8]) -> bool {
    let entries = std::fs::read_dir(directory).expect("list the store");
    entries.map(|entry| entry.expect("list the store").path()).any(|path| {
        if path.is_dir() {
            return on_disk(&path, bytes);
        }
        // A file can go away while it is looked at; then it has no bytes.
        std::fs::read(&path).unwrap_or_default().windows(bytes.len()).any(|part| part == bytes)
    })
}
