use super::*;

fn create_token(name: &str, scopes: &[Scope]) -> Command {
    let scopes = scopes.iter().copied().collect();
    Command::CreateToken { name: name.into(), hash: TokenHash::of("t"), scopes, user_id: None, expires_at: None }
}

fn create_user(email: &str, scopes: &[Scope]) -> Command {
    let scopes = scopes.iter().copied().collect();
    Command::CreateUser { email: email.into(), name: String::new(), password_hash: String::new(), scopes }
}

fn given(commands: Vec<Command>) -> State {
    let mut state = State::default();
    for command in commands {
        let event = state.decide(command, Actor::system()).unwrap();
        state.apply(event);
    }
    state
}

#[test]
fn what_exists_or_existed_cannot_be_created_again() {
    let create = || create_token("ci", &[Scope::Admin]);
    assert_eq!(given(vec![create()]).decide(create(), Actor::system()), Err(Rejected::Exists));
    assert_eq!(given(vec![create(), Command::DeleteToken]).decide(create(), Actor::system()), Err(Rejected::Exists));
}

#[test]
fn what_is_not_there_cannot_be_deleted() {
    assert_eq!(State::Absent.decide(Command::DeleteToken, Actor::system()), Err(Rejected::NotFound));
    assert_eq!(State::Deleted.decide(Command::DeleteUser, Actor::system()), Err(Rejected::NotFound));
}

#[test]
fn a_token_needs_a_name_and_a_scope() {
    let refusal = |command| State::Absent.decide(command, Actor::system()).unwrap_err().to_string();
    assert_eq!(refusal(create_token("ci", &[])), "scopes: must name at least one");
    assert_eq!(refusal(create_token("", &[Scope::Admin])), "name: must have 1 to 256 bytes");
}

#[test]
fn a_user_needs_an_address() {
    let create = |email: &str| create_user(email, &[Scope::AuditRead]);
    for email in ["", "admin", "@local", "a@", "a b@c", "a@b\n"] {
        assert!(State::Absent.decide(create(email), Actor::system()).is_err(), "{email:?}");
    }
    assert!(State::Absent.decide(create("admin@local"), Actor::system()).is_ok());
}

#[test]
fn admin_allows_everything_and_others_only_themselves() {
    let admin: Scopes = [Scope::Admin].into_iter().collect();
    let reader: Scopes = [Scope::AuditRead].into_iter().collect();
    assert!(Scope::ALL.into_iter().all(|scope| admin.allow(scope)));
    assert_eq!(Scope::ALL.into_iter().filter(|scope| reader.allow(*scope)).count(), 1);
}

#[test]
fn one_address_is_one_user_whatever_its_case() {
    assert_eq!(user_id("Admin@Local"), user_id("admin@local"));
}

#[test]
fn a_user_may_do_something_and_that_can_be_changed_while_they_are_there() {
    let scopes = |scopes: &[Scope]| -> Scopes { scopes.iter().copied().collect() };
    let set = |to: &[Scope]| Command::SetUserScopes { scopes: scopes(to) };
    let nothing = Err(Rejected::Field { field: "scopes", problem: "must name at least one" });
    assert_eq!(State::Absent.decide(create_user("a@x", &[]), Actor::system()), nothing);
    let there = given(vec![create_user("a@x", &[Scope::AuditRead])]);
    assert_eq!(there.decide(set(&[]), Actor::system()), nothing);
    let changed = UserChanged { email: "a@x".into(), scopes: scopes(&[Scope::Admin]), by: Actor::system() };
    assert_eq!(there.decide(set(&[Scope::Admin]), Actor::system()), Ok(Event::UserChanged(changed)));
    let gone = given(vec![create_user("a@x", &[Scope::AuditRead]), set(&[Scope::Admin]), Command::DeleteUser]);
    assert_eq!(gone.decide(set(&[Scope::Admin]), Actor::system()), Err(Rejected::NotFound));
}

#[test]
fn what_two_allow_together_is_what_both_allow() {
    let scopes = |scopes: &[Scope]| -> Scopes { scopes.iter().copied().collect() };
    let (admin, reader) = (scopes(&[Scope::Admin]), scopes(&[Scope::AuditRead, Scope::TrafficRead]));
    assert_eq!((admin.within(&reader), reader.within(&admin)), (reader.clone(), reader.clone()));
    assert_eq!(reader.within(&scopes(&[Scope::TrafficRead, Scope::EventsWrite])), scopes(&[Scope::TrafficRead]));
    assert!(Scope::ALL.into_iter().all(|scope| admin.within(&admin).allow(scope)));
}
