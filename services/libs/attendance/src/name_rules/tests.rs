use jiff::{SignedDuration, Timestamp};
use proptest::{option::of, prelude::*};

use super::*;
use crate::event::{Arrival, RawEvent};

fn rules(texts: &[&str]) -> NameRules {
    NameRules(
        texts
            .iter()
            .map(|text| text.parse().expect("a rule"))
            .collect(),
    )
}

fn event(user: &str, realm: Option<&str>) -> Event {
    let forever = SignedDuration::from_hours(24 * 365 * 100);
    let arrival = Arrival {
        at: Timestamp::UNIX_EPOCH,
        earliest: Timestamp::MIN,
        ahead: forever,
        skew: forever,
    };
    let raw = RawEvent {
        event_id: Some("e1".into()),
        kind: Some("login".into()),
        session_id: Some("s1".into()),
        user: Some(user.into()),
        realm: realm.map(Into::into),
        occurred_at: Some("1970-01-01T00:00:00Z".into()),
        ..RawEvent::default()
    };
    Event::parse(raw, &arrival).expect("an event")
}

/// Returns the names that rules give.
fn applied(texts: &[&str], user: &str, realm: Option<&str>) -> (String, Option<String>) {
    let mut event = event(user, realm);
    rules(texts).apply(&mut event);
    let (user, realm) = event.names().expect("names");
    (user.to_owned(), realm.map(ToOwned::to_owned))
}

#[test]
fn names_of_one_person_become_one_name() {
    let texts = [
        "split=down_level",
        "split=upn",
        "map_realm=corp.example:Corp",
        "map_realm=default:Corp",
        "lower_case=user",
    ];
    for user in [
        "Tim",
        r"Corp\tim",
        "tim@Corp.Example",
        r"X\TIM@corp.example",
    ] {
        let expected = ("tim".to_owned(), Some("Corp".to_owned()));
        assert_eq!(applied(&texts, user, None), expected, "{user}");
    }
}

#[test]
fn each_rule_changes_what_it_concerns_and_nothing_else() {
    for (text, user, realm, expected) in [
        ("split=down_level", r"CORP\tim", None, ("tim", Some("CORP"))),
        (
            "split=down_level",
            r"CORP\tim",
            Some("Vpn"),
            ("tim", Some("CORP")),
        ),
        ("split=down_level", "tim", Some("Vpn"), ("tim", Some("Vpn"))),
        (
            "split=upn",
            "tim@corp.example",
            None,
            ("tim", Some("corp.example")),
        ),
        (
            "split=realm_roles",
            "tim(Staff)[Users]",
            None,
            ("tim", Some("Staff")),
        ),
        (
            "split=display_name",
            "Tim Bo (tim)",
            Some("Vpn"),
            ("tim", Some("Vpn")),
        ),
        ("strip=down_level", r"CORP\tim", None, ("tim", None)),
        (
            "strip=upn",
            "tim@corp.example",
            Some("Vpn"),
            ("tim", Some("Vpn")),
        ),
        ("strip=upn", "@corp.example", None, ("@corp.example", None)),
        (
            "map_realm=CORP:Corp",
            "tim",
            Some("corp"),
            ("tim", Some("Corp")),
        ),
        (
            "map_realm=CORP:Corp",
            "tim",
            Some("vpn"),
            ("tim", Some("vpn")),
        ),
        ("map_realm=CORP:Corp", "tim", None, ("tim", None)),
        ("map_realm=Default:a:b", "tim", None, ("tim", Some("a:b"))),
        (
            "lower_case=user",
            "TÍM",
            Some("CORP"),
            ("tím", Some("CORP")),
        ),
        (
            "lower_case=realm",
            "Tim",
            Some("CORP"),
            ("Tim", Some("corp")),
        ),
        ("lower_case=realm", "Tim", None, ("Tim", None)),
    ] {
        let (user, realm) = applied(&[text], user, realm);
        assert_eq!((user.as_str(), realm.as_deref()), expected, "{text}");
    }
}

#[test]
fn rules_are_applied_in_their_order() {
    let (split, strip) = ("split=upn", "strip=down_level");
    let (first, second) = ("map_realm=a:b", "map_realm=b:c");
    assert_eq!(
        applied(&[split, strip], r"A\tim@b", None).1,
        Some("b".into())
    );
    assert_eq!(
        applied(&[first, second], "tim", Some("a")).1,
        Some("c".into())
    );
    assert_eq!(
        applied(&[second, first], "tim", Some("a")).1,
        Some("b".into())
    );
}

#[test]
fn name_that_would_become_too_long_in_lower_case_is_kept() {
    let user = "\u{23a}".repeat(TEXT_BYTES / 2);
    assert_eq!(applied(&["lower_case=user"], &user, None).0, user);
}

#[test]
fn restart_is_not_changed() {
    let mut restart = event("tim", None);
    restart.fact = crate::event::Fact::Restart;
    let unchanged = restart.clone();
    rules(&["lower_case=user", "map_realm=Default:Corp"]).apply(&mut restart);
    assert_eq!(restart, unchanged);
}

#[test]
fn text_that_is_no_rule_is_rejected() {
    for text in [
        "",
        "split",
        "split=",
        "split=UPN",
        "strip=user",
        "map_realm=CORP",
        "map_realm=:Corp",
        "map_realm=CORP:",
        "map_realm=a:b\n",
        "lower_case=both",
        "upn=split",
    ] {
        assert_eq!(text.parse::<NameRule>(), Err(NameRuleError), "{text:?}");
    }
}

fn rule() -> impl Strategy<Value = NameRule> {
    let realm = || r"[a-cA-C]{1,2}|Default|corp\.example";
    prop_oneof![
        prop::sample::select(FORMS.as_slice()).prop_map(|(_, form)| NameRule::Split(form)),
        prop::sample::select(FORMS.as_slice()).prop_map(|(_, form)| NameRule::Strip(form)),
        (realm(), realm()).prop_map(|(from, to)| NameRule::MapRealm { from, to }),
        prop::sample::select(PARTS.as_slice()).prop_map(|(_, part)| NameRule::LowerCase(part)),
    ]
}

proptest! {
    #[test]
    fn json_of_rules_gives_the_same_rules(rules in prop::collection::vec(rule(), 0..5)) {
        let rules = NameRules(rules);
        let json = serde_json::to_value(&rules).expect("JSON");
        prop_assert_eq!(serde_json::from_value::<NameRules>(json).expect("rules"), rules);
    }

    #[test]
    fn rules_give_valid_names_and_keep_the_digest_and_the_reported_names(
        rules in prop::collection::vec(rule(), 0..5),
        user in r"[a-cA-C\\@()\[\] ]{1,9}|\PC{1,60}",
        realm in of("[a-cA-C]{1,2}|Default|\\PC{1,60}"),
    ) {
        let reported = event(&user, realm.as_deref());
        let mut changed = reported.clone();
        NameRules(rules).apply(&mut changed);
        prop_assert_eq!(changed.digest(), reported.digest());
        let (new_user, new_realm) = changed.names().expect("names");
        prop_assert!(is_valid(new_user) && new_realm.is_none_or(is_valid));
        let is_changed = changed.names() != reported.names();
        let names = Names { user, realm };
        prop_assert_eq!(&changed.reported_names, &is_changed.then_some(names));
    }
}
