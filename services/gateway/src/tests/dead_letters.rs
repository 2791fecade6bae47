//! `GET /flowtrail/v1/dead-letters`, with a projector that tells what it was asked.

use bus::Refusal;
use model::access::Scope;
use serde_json::{Value, json};

use super::world::World;

const PATH: &str = "/flowtrail/v1/dead-letters";

fn letter(sequence: u64) -> Value {
    json!({
        "sequence": sequence, "time": "2024-01-31T12:00:00Z", "view": "audit", "stream": "FLOWTRAIL_AUDIT",
        "position": "FLOWTRAIL_AUDIT:7", "index": 0, "subject": "flowtrail.v1.audit.main.billing", "event_id": null,
        "reason": "not JSON", "outcome": null,
    })
}

/// Two letters of three, then the third; of another account, or of all states, none.
#[expect(clippy::needless_pass_by_value, reason = "it stands in for a service, which is given what it is asked")]
fn projector(asked: Value) -> Result<Value, Refusal> {
    let answer = |letters: Value, more: bool| json!({ "total": 3, "letters": letters, "more": more, "as_of": 9 });
    if asked["account"] != "main" || asked["open"] != true || asked["limit"] != 2 {
        return Ok(json!({ "total": 0, "letters": [], "more": false, "as_of": 9 }));
    }
    match asked["before"].as_u64() {
        None => Ok(answer(json!([letter(8), letter(5)]), true)),
        Some(5) => Ok(answer(json!([letter(2)]), false)),
        Some(_) => Err(Refusal { code: 400, message: "another place".to_owned() }),
    }
}

#[tokio::test]
async fn letters_are_paged_by_a_cursor_that_is_good_for_this_list_alone() {
    let mut world = World::start().await;
    world.account("main");
    world.account("other");
    world.serve("flowtrail.query.dead_letters", projector).await;
    let (admin, other) = (world.admin(), world.token("other", &[Scope::Admin]));
    let first = world.get(&admin, &format!("{PATH}?limit=2")).await;
    assert_eq!(first.header("flowtrail-as-of"), Some("FLOWTRAIL_DEAD_LETTER:9"));
    let page = first.json();
    assert_eq!((page["items"].as_array().unwrap().len(), &page["total"]), (2, &json!(3)));
    let cursor = page["next"].as_str().unwrap().to_owned();
    let second = world.get(&admin, &format!("{PATH}?limit=2&cursor={cursor}")).await.json();
    assert_eq!((second["items"][0]["sequence"].as_u64(), &second["next"]), (Some(2), &Value::Null));
    for (token, query) in [(&other, ""), (&admin, "&state=all")] {
        let refused = world.get(token, &format!("{PATH}?limit=2&cursor={cursor}{query}")).await;
        assert_eq!(refused.status, 400);
        assert!(refused.json()["detail"].as_str().unwrap().starts_with("cursor: "), "{refused:?}");
    }
}

#[tokio::test]
async fn a_wrong_parameter_is_named_and_without_a_projector_there_is_no_answer() {
    let world = World::start().await;
    world.account("main");
    let admin = world.admin();
    for (query, named) in [
        ("state=closed", "state: must be one of open, all"),
        ("limit=0", "limit: must be a whole number from 1 to 1000"),
        ("account=other", "account: is no parameter here; known are state, limit, cursor"),
    ] {
        let refused = world.get(&admin, &format!("{PATH}?{query}")).await;
        assert_eq!((refused.status.as_u16(), refused.json()["detail"].as_str()), (400, Some(named)));
    }
    assert_eq!(world.get(&admin, PATH).await.status, 503);
}
