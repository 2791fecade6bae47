//! The access view: users, tokens, and what they allow.

use model::access::{self, Actor, Bearer, Scope, TokenHash};
use model::event::Event;
use model::log::{AccountId, Stream};
use model::time::Timestamp;
use views::Views;

use crate::{account, answer, at, open, project};

#[test]
fn a_token_is_found_by_its_hash_until_it_is_deleted() {
    let directory = tempfile::tempdir().unwrap();
    let views = open(directory.path());
    let hash = TokenHash::of("secret");
    let recorded = |event| {
        let event = access::Recorded { event_id: "e".into(), time: at(1), id: "t1".into(), event };
        [(account("main"), Event::Access(event))]
    };
    let created = access::TokenCreated {
        name: "ci".into(),
        hash: hash.clone(),
        scopes: [Scope::AuditRead].into_iter().collect(),
        user_id: None,
        expires_at: None,
        by: Actor::system(),
    };
    let find = |views: &Views| answer(views, views::access::ByToken { hash: hash.clone() });
    project(&views, views::access::VIEW, Stream::Access, 1, &recorded(access::Event::TokenCreated(created)));
    let Some(Bearer::Current(principal)) = find(&views) else { panic!("a token is not found") };
    assert_eq!((principal.account, principal.actor.id.as_str()), (account("main"), "token:t1"));
    let deleted = access::TokenDeleted { name: "ci".into(), by: Actor::system() };
    project(&views, views::access::VIEW, Stream::Access, 2, &recorded(access::Event::TokenDeleted(deleted)));
    let Some(Bearer::Former { account: of, token_id, actor }) = find(&views) else { panic!("it is forgotten") };
    assert_eq!((of, token_id.as_str(), actor.id.as_str()), (account("main"), "t1", "token:t1"));
    assert_eq!(answer(&views, views::access::ByToken { hash: TokenHash::of("another") }), None);
}

/// An access event about the user or token with this id.
fn accessed(of: &str, id: &str, event: access::Event) -> [(AccountId, Event); 1] {
    [(account(of), Event::Access(access::Recorded { event_id: id.into(), time: at(1), id: id.into(), event }))]
}

fn user_created(email: &str) -> access::Event {
    let (email, name, password_hash) = (email.to_owned(), "Name".to_owned(), "$argon2id$".to_owned());
    let scopes = Some([Scope::AuditRead, Scope::TrafficRead].into_iter().collect());
    access::Event::UserCreated(access::UserCreated { email, name, password_hash, scopes, by: Actor::system() })
}

fn token_created(token: &str, user: &str, expires_at: Option<Timestamp>) -> access::Event {
    access::Event::TokenCreated(access::TokenCreated {
        name: "ci".into(),
        hash: TokenHash::of(token),
        scopes: [Scope::AuditRead].into_iter().collect(),
        user_id: Some(user.to_owned()),
        expires_at,
        by: Actor::system(),
    })
}

#[test]
fn a_user_is_found_by_address_in_every_account_that_has_them_until_deleted() {
    let directory = tempfile::tempdir().unwrap();
    let views = open(directory.path());
    let id = access::user_id("a@x");
    for (sequence, of) in [(1, "main"), (2, "acme")] {
        project(&views, views::access::VIEW, Stream::Access, sequence, &accessed(of, &id, user_created("a@x")));
    }
    let other = access::user_id("b@x");
    project(&views, views::access::VIEW, Stream::Access, 3, &accessed("main", &other, user_created("b@x")));
    let accounts = |email: &str| -> Vec<String> {
        let found = answer(&views, views::access::UsersByEmail { email: email.into() });
        found.into_iter().map(|found| found.account.to_string()).collect()
    };
    assert_eq!(accounts("A@X"), ["acme", "main"]);
    assert_eq!(accounts("a@"), [""; 0]);
    project(
        &views,
        views::access::VIEW,
        Stream::Access,
        4,
        &accessed("main", "t1", token_created("secret", &id, None)),
    );
    let token = || answer(&views, views::access::ByToken { hash: TokenHash::of("secret") });
    let Some(Bearer::Current(principal)) = token() else { panic!("a token is not found") };
    assert_eq!(principal.actor.email.as_deref(), Some("a@x"));
    let deleted = access::Event::UserDeleted(access::UserDeleted { email: "a@x".into(), by: Actor::system() });
    project(&views, views::access::VIEW, Stream::Access, 5, &accessed("main", &id, deleted));
    assert_eq!(accounts("a@x"), ["acme"]);
    let former = matches!(token(), Some(Bearer::Former { actor, .. }) if actor.id == id);
    assert!(former, "a user's tokens end with the user");
}

#[test]
fn a_token_allows_no_more_than_its_user_may_do_now() {
    let directory = tempfile::tempdir().unwrap();
    let views = open(directory.path());
    let id = access::user_id("a@x");
    let scopes_of = |scopes: &[Scope]| scopes.iter().copied().collect::<access::Scopes>();
    let allowed = |token: &str| {
        let found = answer(&views, views::access::ByToken { hash: TokenHash::of(token) });
        let Some(Bearer::Current(principal)) = found else { panic!("a token is not found") };
        principal.scopes
    };
    project(&views, views::access::VIEW, Stream::Access, 1, &accessed("main", &id, user_created("a@x")));
    for (sequence, token, scopes) in
        [(2, "one", scopes_of(&[Scope::TrafficRead, Scope::EventsWrite])), (3, "admin", scopes_of(&[Scope::Admin]))]
    {
        let access::Event::TokenCreated(created) = token_created(token, &id, None) else { panic!("another event") };
        let created = access::Event::TokenCreated(access::TokenCreated { scopes, ..created });
        project(&views, views::access::VIEW, Stream::Access, sequence, &accessed("main", token, created));
    }
    assert_eq!(allowed("one"), scopes_of(&[Scope::TrafficRead]));
    assert_eq!(allowed("admin"), scopes_of(&[Scope::AuditRead, Scope::TrafficRead]));

    let changed = |scopes: &[Scope]| {
        let (email, scopes) = ("a@x".to_owned(), scopes_of(scopes));
        access::Event::UserChanged(access::UserChanged { email, scopes, by: Actor::system() })
    };
    project(&views, views::access::VIEW, Stream::Access, 4, &accessed("main", &id, changed(&[Scope::AuditRead])));
    assert_eq!((allowed("one"), allowed("admin")), (scopes_of(&[]), scopes_of(&[Scope::AuditRead])));
    project(&views, views::access::VIEW, Stream::Access, 5, &accessed("main", &id, changed(&[Scope::Admin])));
    let ones = scopes_of(&[Scope::TrafficRead, Scope::EventsWrite]);
    assert_eq!(allowed("one"), ones, "what the token itself does not allow is not added");
    assert!(Scope::ALL.into_iter().all(|scope| allowed("admin").allow(scope)));
}

#[test]
fn a_user_from_before_users_had_scopes_may_do_everything() {
    let directory = tempfile::tempdir().unwrap();
    let views = open(directory.path());
    let old = r#"{"email":"a@x","name":"Name","password_hash":"$argon2id$","by":{"id":"sys"}}"#;
    let old: access::UserCreated = serde_json::from_str(old).unwrap();
    let id = access::user_id("a@x");
    project(&views, views::access::VIEW, Stream::Access, 1, &accessed("main", &id, access::Event::UserCreated(old)));
    let users = answer(&views, views::access::Users { account: account("main") });
    assert_eq!(users[0].scopes, [Scope::Admin].into_iter().collect());
}

#[test]
fn a_users_tokens_that_still_run_are_listed_by_their_end() {
    let directory = tempfile::tempdir().unwrap();
    let views = open(directory.path());
    let tokens = [
        ("t1", "u", Some(30)),
        ("t2", "u", Some(10)),
        ("t3", "u", Some(20)),
        ("t4", "u", None),
        ("t5", "u2", Some(20)),
    ];
    for (sequence, (id, user, end)) in (1..).zip(tokens) {
        project(
            &views,
            views::access::VIEW,
            Stream::Access,
            sequence,
            &accessed("main", id, token_created(id, user, end.map(at))),
        );
    }
    let ids = |after| -> Vec<String> {
        let question = views::access::EndingTokens { account: account("main"), user_id: "u".into(), after: at(after) };
        answer(&views, question).into_iter().map(|token| token.id).collect()
    };
    assert_eq!(ids(0), ["t2", "t3", "t1"]);
    assert_eq!(ids(10), ["t3", "t1"]);
    let deleted = access::Event::TokenDeleted(access::TokenDeleted { name: "ci".into(), by: Actor::system() });
    project(&views, views::access::VIEW, Stream::Access, 6, &accessed("main", "t3", deleted));
    assert_eq!(ids(10), ["t1"]);
}
