use std::collections::BTreeMap;

use super::*;
use crate::secret::Secret;

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000).unwrap()
}

fn by() -> Actor {
    Actor { id: "u1".into(), name: None, email: None }
}

fn patch(platform: Platform, values: &[(&str, &str)]) -> Result<Patch<Ciphertext>, Rejected> {
    let values = values.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    // Like base64, what stands for it holds no blank.
    let seal_one =
        |field: &str, secret: &Secret| Ok(Ciphertext(format!("{field}={}", secret.reveal().replace(' ', "+"))));
    seal(platform.read_config(values)?, seal_one)
}

fn create(platform: Platform, values: &[(&str, &str)]) -> Result<Command, Rejected> {
    Ok(Command::Create { platform, config: patch(platform, values)?, enabled: false })
}

const DATADOG: &[(&str, &str)] = &[("api_key", "k"), ("site", "datadoghq.com")];

fn created() -> Integration {
    given(vec![create(Platform::Datadog, DATADOG).unwrap()])
}

/// The state after commands that are all accepted, a second apart.
fn given(commands: Vec<Command>) -> Integration {
    let mut state = Integration::default();
    for (second, command) in (1..).zip(commands) {
        for event in state.decide(command, by()).unwrap() {
            state.apply(event, at(second));
        }
    }
    state
}

fn refusal(platform: Platform, values: &[(&str, &str)]) -> String {
    let decided = create(platform, values).and_then(|command| Integration::Absent.decide(command, by()));
    decided.unwrap_err().to_string()
}

#[test]
fn creating_keeps_texts_and_seals_secrets() {
    let Integration::Present(current) = created() else { panic!("it is there") };
    assert_eq!(current.config["site"], Value::Text("datadoghq.com".into()));
    assert_eq!(current.config["api_key"], Value::Sealed(Ciphertext("api_key=k".into())));
    assert_eq!(current.platform.shown(&current.config)["api_key"], "****");
}

#[test]
fn both_spellings_of_credentials_are_taken_and_a_half_pair_is_named() {
    let base = [("bucket_name", "logs"), ("region", "r")];
    let with = |more: &[(&'static str, &'static str)]| [&base[..], more].concat();
    assert!(create(Platform::S3, &with(&[("access_key", "a"), ("secret_key", "s")])).is_ok());
    assert!(create(Platform::S3, &with(&[("access_key_id", "a"), ("secret_access_key", "s")])).is_ok());
    let text = refusal(Platform::S3, &with(&[("access_key_id", "a")]));
    assert!(text.starts_with("config.secret_access_key: is required for s3"), "{text}");
}

#[test]
fn a_refusal_names_the_key() {
    assert!(refusal(Platform::Datadog, &[("site", "datadoghq.eu")]).starts_with("config.api_key: is required"));
    assert_eq!(refusal(Platform::Datadog, &[("api_key", "k"), ("site", "")]), "config.site: must not be empty");
    assert!(refusal(Platform::Datadog, &[("color", "red")]).starts_with("config.color: is not known for datadog"));
    assert!(refusal(Platform::GenericHttp, &[("url", "ftp://x")]).starts_with("config.url: must be an http"));
    assert!(
        refusal(Platform::GenericHttp, &[("url", "https://u:p@x")]).starts_with("config.url: must not hold a user")
    );
    let headers = |text: &'static str| refusal(Platform::GenericHttp, &[("url", "https://x"), ("headers", text)]);
    assert!(headers("nonsense").starts_with("config.headers: must be a JSON object"));
    assert!(headers(r#"{"Host":"x"}"#).starts_with("config.headers.Host: "));
    assert!(headers(r#"{"X-A":"a\r\nb"}"#).starts_with("config.headers.X-A: must not hold control"));
    assert!(headers(r#"{"X-A":"****"}"#).starts_with("config.headers.X-A: **** keeps"));
    assert!(
        refusal(Platform::Datadog, &[("api_key", "****"), ("site", "datadoghq.eu")])
            .starts_with("config.api_key: ****")
    );
}

#[test]
fn an_update_merges_and_the_mask_keeps_what_is_stored() {
    let config = patch(Platform::Datadog, &[("api_key", "****"), ("region", "eu")]).unwrap();
    let after =
        given(vec![create(Platform::Datadog, DATADOG).unwrap(), Command::Update { config, enabled: Some(true) }]);
    let Integration::Present(current) = after else { panic!("it is there") };
    assert_eq!(current.config["api_key"], Value::Sealed(Ciphertext("api_key=k".into())));
    assert_eq!(current.config["region"], Value::Text("eu".into()));
    assert_eq!((current.enabled, current.created_at, current.updated_at), (true, at(1), at(2)));
}

#[test]
fn a_masked_header_keeps_its_value_and_a_missing_one_goes() {
    let values = [("url", "https://x"), ("headers", r#"{"Authorization":"Basic s","X-Old":"o"}"#)];
    let config = patch(Platform::GenericHttp, &[("headers", r#"{"Authorization":"Basic ****"}"#)]).unwrap();
    let create = create(Platform::GenericHttp, &values).unwrap();
    let Integration::Present(current) = given(vec![create, Command::Update { config, enabled: None }]) else {
        panic!("it is there")
    };
    assert_eq!(current.platform.shown(&current.config)["headers"], r#"{"Authorization":"Basic ****"}"#);
    let kept = Ciphertext("Basic headers.Authorization=Basic+s".into());
    assert_eq!(current.config["headers"], Value::Headers([("Authorization".to_owned(), kept)].into()));
}

#[test]
fn an_authorization_is_shown_with_its_scheme_also_when_it_was_changed() {
    let shown_after = |headers: &[&str]| {
        let mut commands: Vec<Command> = Vec::new();
        for headers in headers {
            let values = [("url", "https://x"), ("headers", *headers)];
            let config = patch(Platform::GenericHttp, &values).unwrap();
            commands.push(if commands.is_empty() {
                Command::Create { platform: Platform::GenericHttp, config, enabled: false }
            } else {
                Command::Update { config, enabled: None }
            });
        }
        let Integration::Present(current) = given(commands) else { panic!("it is there") };
        current.platform.shown(&current.config)["headers"].clone()
    };
    let (bearer, custom) = (r#"{"Authorization":"Bearer x"}"#, r#"{"X-Key":"my secret"}"#);
    assert_eq!(shown_after(&[bearer]), r#"{"Authorization":"Bearer ****"}"#);
    assert_eq!(shown_after(&[bearer, r#"{"Authorization":"Bearer ****"}"#]), r#"{"Authorization":"Bearer ****"}"#);
    assert_eq!(shown_after(&[bearer, r#"{"Authorization":"Basic eDp5"}"#]), r#"{"Authorization":"Basic ****"}"#);
    assert_eq!(shown_after(&[bearer, r#"{"authorization":"token"}"#]), r#"{"authorization":"****"}"#);
    assert_eq!(shown_after(&[custom]), r#"{"X-Key":"****"}"#);
}

#[test]
fn headers_that_were_stored_without_a_scheme_are_shown_and_kept() {
    let stored = r#"{"headers":{"Authorization":"bm9uY2U="}}"#;
    let headers: Value = serde_json::from_str(stored).unwrap();
    let config = Config::from([("url".to_owned(), Value::Text("https://x".into())), ("headers".to_owned(), headers)]);
    assert_eq!(Platform::GenericHttp.shown(&config)["headers"], r#"{"Authorization":"****"}"#);
    let created = Created { platform: Platform::GenericHttp, config: config.clone(), enabled: false, by: by() };
    let mut state = Integration::default();
    state.apply(Event::Created(created), at(1));
    let config = patch(Platform::GenericHttp, &[("headers", r#"{"Authorization":"Bearer ****"}"#)]).unwrap();
    assert_eq!(state.decide(Command::Update { config, enabled: None }, by()), Ok(vec![]));
}

#[test]
fn an_update_that_changes_nothing_is_no_event() {
    let config = patch(Platform::Datadog, &[("api_key", "****"), ("site", "datadoghq.com")]).unwrap();
    assert_eq!(created().decide(Command::Update { config, enabled: Some(false) }, by()), Ok(vec![]));
}

#[test]
fn a_required_key_cannot_be_taken_away() {
    let config = patch(Platform::Datadog, &[("site", "")]).unwrap();
    assert!(created().decide(Command::Update { config, enabled: None }, by()).is_err());
}

#[test]
fn a_deleted_integration_cannot_be_changed_and_its_id_is_never_used_again() {
    let deleted = given(vec![create(Platform::Datadog, DATADOG).unwrap(), Command::Delete]);
    let update = Command::Update { config: Patch::new(), enabled: Some(true) };
    assert_eq!(deleted.decide(update, by()), Err(Rejected::NotFound));
    assert_eq!(deleted.decide(Command::Delete, by()), Err(Rejected::NotFound));
    assert_eq!(deleted.decide(create(Platform::Datadog, DATADOG).unwrap(), by()), Err(Rejected::Taken));
}

#[test]
fn a_value_of_the_wrong_form_is_named() {
    let aws = [("access_key", "a"), ("secret_key", "s"), ("region", "eu-central-1")];
    let s3 = |key, value| refusal(Platform::S3, &[&aws[..], &[("bucket_name", "logs"), (key, value)]].concat());
    for (key, value) in [
        ("region", "eu.evil.example/"),
        ("region", "EU"),
        ("bucket_name", "a/"),
        ("bucket_name", "logs.evil.example/x?"),
        ("bucket_name", "-logs"),
        ("prefix", "../x"),
        ("prefix", "/x"),
        ("prefix", "a//b"),
        ("path_style", "yes"),
        ("endpoint", "https://x:22/"),
        ("batch_seconds", "0"),
        ("batch_seconds", "901"),
        ("secret_key", "a\r\nb"),
        ("events", "audit,flows"),
    ] {
        assert!(s3(key, value).starts_with(&format!("config.{key}: must ")), "{key} {value}");
    }
    assert!(
        refusal(Platform::Datadog, &[("api_key", "k"), ("site", "evil.example")])
            .starts_with("config.site: must be one of")
    );
    assert!(
        refusal(Platform::Syslog, &[("address", "logs.example.com")])
            .starts_with("config.address: must be a host and a port")
    );
    assert!(refusal(Platform::SplunkHec, &[("url", "https://x")]).starts_with("config.token: is required"));
    let template = [("url", "https://x"), ("body_template", "{{.Color}}")];
    assert!(refusal(Platform::GenericHttp, &template).starts_with("config.body_template: cannot do {{.Color}}"));
    for name in ["Connection", "transfer-encoding", "TE", "Proxy-Connection", "Upgrade", "a b", "a\r\nb", ""] {
        let headers = serde_json::json!({ name: "x" }).to_string();
        let config = [("url", "https://x"), ("headers", headers.as_str())];
        assert!(refusal(Platform::GenericHttp, &config).starts_with("config.headers."), "{name}");
    }
}

#[test]
fn what_may_not_be_reached_is_named_when_it_is_named_and_not_again() {
    let event = |config: &[(&str, &str)], platform| {
        Integration::Absent.decide(create(platform, config).unwrap(), by()).unwrap().remove(0)
    };
    let named = |event: &Event, list: &str| {
        let named = event.named_receivers(&list.parse().unwrap());
        named.map(|receivers| receivers.len()).map_err(|rejected| rejected.to_string())
    };
    let loopback = event(&[("url", "http://127.0.0.1:1/")], Platform::GenericHttp);
    assert!(named(&loopback, "").unwrap_err().starts_with("config.url: is not a public address"));
    assert_eq!(named(&loopback, "127.0.0.0/8"), Ok(1));
    let syslog = event(&[("address", "logs.example.com:514"), ("tls", "false")], Platform::Syslog);
    assert!(named(&syslog, "").unwrap_err().starts_with("config.address: must be encrypted"));

    let update = |values: &[(&str, &str)], platform, created: Event| {
        let mut state = Integration::Absent;
        state.apply(created, at(1));
        let config = patch(platform, values).unwrap();
        state.decide(Command::Update { config, enabled: Some(true) }, by()).unwrap().remove(0)
    };
    assert_eq!(named(&update(&[], Platform::GenericHttp, loopback.clone()), ""), Ok(0));
    let moved = update(&[("url", "http://10.0.0.1/")], Platform::GenericHttp, loopback);
    assert!(named(&moved, "").unwrap_err().starts_with("config.url: is not a public address"));
    let encrypted = event(&[("address", "logs.example.com:514")], Platform::Syslog);
    assert!(named(&update(&[("tls", "false")], Platform::Syslog, encrypted), "").is_err());
}

#[test]
fn a_signing_secret_that_no_receiver_could_verify_is_refused_naming_its_key() {
    let with = |key: &'static str, secret: &'static str| [("url", "https://example.com/"), (key, secret)];
    let good = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    for key in ["signing_secret", "signing_secret_previous"] {
        for bad in
            ["hunter2", "whsec_", "whsec_c2hvcnQ=", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS!", "whsk_MfKQ9r8GKYqr"]
        {
            let said = refusal(Platform::GenericHttp, &with(key, bad));
            assert_eq!(said, format!("config.{key}: must be whsec_ and the base64 of 24 to 64 random bytes"), "{bad}");
        }
        assert!(create(Platform::GenericHttp, &with(key, good)).is_ok());
        assert!(create(Platform::GenericHttp, &with(key, &good[6..])).is_ok(), "the prefix may be left out");
    }
}

#[test]
fn events_are_of_three_families_of_which_both_names_two() {
    let with = |events: &'static str| [("url", "https://example.com/"), ("events", events)];
    for good in ["audit", "traffic", "both", "audit,traffic", "traffic, audit", "reads", "audit,traffic,reads"] {
        assert!(create(Platform::GenericHttp, &with(good)).is_ok(), "{good}");
    }
    for bad in ["all", "audit,both", "both,reads", "Audit", ",", "audit,"] {
        assert_eq!(
            refusal(Platform::GenericHttp, &with(bad)),
            "config.events: must be both, or some of audit, traffic and reads, separated by commas",
            "{bad}"
        );
    }
}

#[test]
fn a_configuration_is_bounded_and_its_largest_part_is_named() {
    let too_large = |key: &str| format!("config.{key}: is too large: a configuration has at most 65536 bytes");
    let long = "x".repeat(70_000);
    assert_eq!(refusal(Platform::Datadog, &[("api_key", &long), ("site", "datadoghq.eu")]), too_large("api_key"));
    assert_eq!(refusal(Platform::Datadog, &[(&long, "x"), ("site", "datadoghq.eu")]), too_large("config"));
    let headers = format!(r#"{{"X-A":"{long}"}}"#);
    assert_eq!(refusal(Platform::Otlp, &[("url", "https://x"), ("headers", &headers)]), too_large("headers"));
    let fits = "x".repeat(60_000);
    assert!(create(Platform::Datadog, &[("api_key", &fits), ("site", "datadoghq.eu")]).is_ok());

    // Nor does it get larger one key after the other.
    let url = [("url", "https://x"), ("token", "t")];
    let mut state = given(vec![create(Platform::SplunkHec, &url).unwrap()]);
    let mut add = |key| {
        let config = patch(Platform::SplunkHec, &[(key, fits.as_str())]).unwrap();
        let events = state.decide(Command::Update { config, enabled: None }, by())?;
        events.into_iter().for_each(|event| state.apply(event, at(9)));
        Ok::<_, Rejected>(())
    };
    assert_eq!(add("index"), Ok(()));
    assert_eq!(add("source").unwrap_err().to_string(), too_large("source"));
}

#[test]
fn headers_are_bounded_in_number_and_name_and_stand_there_once() {
    let refused = |headers: &str| refusal(Platform::GenericHttp, &[("url", "https://x"), ("headers", headers)]);
    let many: BTreeMap<String, &str> = (0..65).map(|number| (format!("X-{number}"), "v")).collect();
    assert_eq!(refused(&serde_json::to_string(&many).unwrap()), "config.headers: must be at most 64 headers");
    let name = "X".repeat(129);
    assert_eq!(refused(&format!(r#"{{"{name}":"v"}}"#)), "config.headers: must hold names of at most 128 bytes");
    assert!(refused(r#"{"X-Key":"1","x-key":"2"}"#).starts_with("config.headers: must not hold a header twice"));
}

#[test]
fn a_signature_over_lines_that_no_library_reads_is_refused() {
    let secret = ("signing_secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let base = [("url", "https://x"), secret];
    let with = |more: &[(&'static str, &'static str)]| [&base[..], more].concat();
    let expected = "config.batch: must be array, or absent, with a signing_secret";
    assert_eq!(refusal(Platform::GenericHttp, &with(&[("batch", "ndjson")])), expected);
    let previous = [base[0], ("signing_secret_previous", secret.1), ("batch", "ndjson")];
    assert_eq!(refusal(Platform::GenericHttp, &previous), expected, "it signs alone, too");
    let state = given(vec![create(Platform::GenericHttp, &with(&[("batch", "array")])).unwrap()]);
    let update = |values: &[(&str, &str)]| {
        let config = patch(Platform::GenericHttp, values).unwrap();
        state.decide(Command::Update { config, enabled: Some(true) }, by())
    };
    assert_eq!(update(&[("batch", "ndjson")]).unwrap_err().to_string(), expected);
    assert!(update(&[("batch", "ndjson"), ("signing_secret", "")]).is_ok());
    assert!(update(&[]).is_ok());
}

#[test]
fn retention_is_a_mode_and_a_time() {
    let base = [("bucket_name", "b"), ("region", "r"), ("access_key", "a"), ("secret_key", "s")];
    let refused = |key, value| refusal(Platform::S3, &[&base[..], &[(key, value)]].concat());
    let days = "config.object_lock_days: is required with object_lock_mode";
    assert_eq!(refused("object_lock_mode", "COMPLIANCE"), days);
    assert_eq!(refused("object_lock_days", "7"), "config.object_lock_mode: is required with object_lock_days");
    assert!(refused("object_lock_days", "0").starts_with("config.object_lock_days: must be a number of days"));
}

#[test]
fn a_filter_is_checked_against_the_families_whenever_either_changes() {
    let with = |more: &[(&str, &'static str)]| {
        let base = [("url", "https://example.com/"), ("filter", "dport:53")];
        let config: Vec<_> = base.into_iter().filter(|(key, _)| more.iter().all(|(other, _)| other != key)).collect();
        create(Platform::Otlp, &[config.as_slice(), more].concat()).unwrap()
    };
    let refused =
        |command| Integration::Absent.decide(command, by()).map(drop).map_err(|rejected| rejected.to_string());
    assert_eq!(refused(with(&[])), Ok(()));
    let problem = refused(with(&[("filter", "dport:53 sttaus:x")]));
    assert_eq!(problem.unwrap_err(), r#"config.filter: column 10: "sttaus" is no field: is status meant?"#);
    assert!(refused(with(&[("filter", "time:>now-1h")])).unwrap_err().contains("no time relative to now here"));

    let mut integration = Integration::default();
    integration.apply(integration.decide(with(&[]), by()).unwrap().remove(0), Timestamp::EPOCH);
    let update = |key: &str, value: &str| {
        let config = Platform::Otlp.read_config([(key.to_owned(), value.to_owned())].into()).unwrap();
        let config = seal(config, |_, _| Ok::<_, ()>(Ciphertext("sealed".to_owned()))).unwrap();
        integration.decide(Command::Update { config, enabled: None }, by())
    };
    let problem = update("events", "audit").unwrap_err().to_string();
    assert_eq!(problem, r#"config.filter: column 1: "dport" is no field"#);
    assert_eq!(update("events", "traffic").unwrap().len(), 1);
    assert_eq!(update("filter", "").unwrap().len(), 1, "an empty text takes it away");
}

/// The address of a web hook as it is shown and stored, after what is sent.
fn web_hook(sent: &[&str]) -> (String, Value) {
    let mut commands = vec![create(Platform::GenericHttp, &[("url", sent[0])]).unwrap()];
    for url in &sent[1..] {
        let config = patch(Platform::GenericHttp, &[("url", url)]).unwrap();
        commands.push(Command::Update { config, enabled: None });
    }
    let Integration::Present(current) = given(commands) else { panic!("it is there") };
    (current.platform.shown(&current.config)["url"].clone(), current.config["url"].clone())
}

#[test]
fn of_a_web_hook_only_the_origin_is_shown_and_stored_in_clear() {
    let sealed = |address: &str, origin: &str| Value::Sealed(Ciphertext(format!("{origin} url={address}")));
    let (first, origin) = ("https://hooks.example.com:8443/T0/secret?k=s", "https://hooks.example.com:8443");
    let masked = "https://hooks.example.com:8443/****";
    for sent in [&[first][..], &[first, masked], &[first, "****"]] {
        assert_eq!(web_hook(sent), (masked.to_owned(), sealed(first, origin)), "{sent:?}");
    }
    let (other, origin) = ("https://other.example/secret", "https://other.example");
    assert_eq!(web_hook(&[first, other]), ("https://other.example/****".to_owned(), sealed(other, origin)));
}

#[test]
fn what_is_behind_one_host_is_not_kept_for_another() {
    let before = given(vec![create(Platform::Otlp, &[("url", "https://a.example/secret")]).unwrap()]);
    for masked in ["https://b.example/****", "http://a.example/****", "https://a.example:8443/****"] {
        let config = patch(Platform::Otlp, &[("url", masked)]).unwrap();
        let refused = before.decide(Command::Update { config, enabled: None }, by()).unwrap_err().to_string();
        assert!(refused.starts_with("config.url: **** keeps what is stored, which begins otherwise"), "{refused}");
    }
    assert!(refusal(Platform::Otlp, &[("url", "https://a.example/****")]).starts_with("config.url: **** keeps"));
}

#[test]
fn a_web_hook_that_was_stored_in_clear_is_shown_masked_and_kept() {
    let stored = Value::Text("https://a.example/secret".to_owned());
    let config = Config::from([("url".to_owned(), stored)]);
    assert_eq!(Platform::GenericHttp.shown(&config)["url"], "https://a.example/****");
    let mut state = Integration::default();
    let created = Created { platform: Platform::GenericHttp, config, enabled: false, by: by() };
    state.apply(Event::Created(created), at(1));
    let config = patch(Platform::GenericHttp, &[("url", "https://a.example/****")]).unwrap();
    assert_eq!(state.decide(Command::Update { config, enabled: None }, by()), Ok(vec![]));
}

#[test]
fn the_host_of_a_web_hook_is_judged_though_its_address_is_sealed() {
    let Ok(events) =
        Integration::Absent.decide(create(Platform::GenericHttp, &[("url", "https://10.0.0.1/s")]).unwrap(), by())
    else {
        panic!("it is made")
    };
    let refused = events[0].named_receivers(&Reach::default()).unwrap_err().to_string();
    assert!(refused.starts_with("config.url: is not a public address"), "{refused}");
}
