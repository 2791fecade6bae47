use super::*;

#[test]
fn an_older_server_is_refused_naming_both_versions() {
    let refused = check_version("2.12.9").unwrap_err();
    assert_eq!(refused.to_string(), "nats-server is 2.12.9, flowtrail needs 2.14.0 or newer");
}

#[test]
fn a_new_enough_server_is_accepted() {
    for version in ["2.14.0", "2.14.0-RC.1", "2.15.1", "3.0.0"] {
        assert!(check_version(version).is_ok(), "{version}");
    }
}

#[test]
fn a_version_that_says_nothing_is_refused() {
    assert!(matches!(check_version("unknown"), Err(ConnectError::UnknownVersion { .. })));
}

#[test]
fn a_password_in_the_url_is_never_shown() {
    assert_eq!(without_user("nats://ann:pa@ss@a:4222,nats://b:4222"), "a:4222,nats://b:4222");
}

#[test]
fn user_and_password_are_taken_out_of_the_url() {
    let (servers, user) = apart("nats://ann:p%40ss@a:4222, tls://bob:other@b:4223").unwrap();
    let servers: Vec<&str> = servers.iter().map(ServerAddr::as_url_str).collect();
    assert_eq!(servers, ["nats://a:4222", "tls://b:4223"]);
    assert_eq!(user, Some(User::Named { name: "ann".to_owned(), password: "p@ss".to_owned() }));
    let (servers, user) = apart("secret@a").unwrap();
    assert_eq!(servers[0].as_url_str(), "nats://a");
    assert_eq!(user, Some(User::Token("secret".to_owned())));
    assert_eq!(apart("a:4222").unwrap().1, None);
    assert!(apart("http://a").is_err());
}

#[test]
fn reconnecting_starts_soon_and_slows_down_to_two_seconds() {
    assert_eq!(pause_before(1), Duration::from_millis(50));
    assert_eq!(pause_before(2), Duration::from_millis(100));
    assert_eq!(pause_before(1_000_000), MAX_PAUSE);
}
