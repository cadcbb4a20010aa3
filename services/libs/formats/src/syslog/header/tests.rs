use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::rules::Rules;

fn header(message: &str) -> Header<'_> {
    let context = Context {
        data_id: "rollcall@32473",
        rules: &Rules::default(),
        zone: TimeZone::UTC,
        received_at: "2026-11-26T09:00:05Z".parse().expect("an instant"),
    };
    Header::read(message, &context)
}

/// Host, program, process and text of a message whose time is 2026-11-26T09:00:01Z.
fn parts(message: &str) -> [&str; 4] {
    let record = header(message).record;
    let at = record.at.expect("a time").as_second();
    assert_eq!(at, 1_795_683_601, "{message}");
    [record.host, record.app, record.process, record.text]
}

#[test]
fn rfc_5424_message_is_divided() {
    let message = "<86>1 2026-11-26T10:00:01.5+01:00 gw sshd 7 - - \u{feff}Accepted\r\n";
    assert_eq!(parts(message), ["gw", "sshd", "7", "Accepted"]);
    let message = r#"<86>1 2026-11-26T09:00:01Z gw app - ID [a@1 x="1" y="\"\\\]\z"][b@2] text"#;
    assert_eq!(parts(message), ["gw", "app", "-", "text"]);
    let header = header(message);
    let params = vec![("x", "1".into()), ("y", r#""\]\z"#.into())];
    assert_eq!(header.elements[0], StructuredData { id: "a@1", params });
    assert_eq!(header.elements[1].id, "b@2");
}

#[test]
fn rfc_5424_message_without_a_text_has_its_structured_data_as_text() {
    for text in [r#"[a@1 x="1"]"#, r#"[action:"Log In"; user:"asha"]"#] {
        let message = format!("<134>1 2026-11-26T09:00:01Z cp CheckPoint 7 - {text}");
        assert_eq!(parts(&message), ["cp", "CheckPoint", "7", text]);
    }
    let none = header("<134>1 - gw sshd 7 - - hello").record;
    assert_eq!((none.at, none.text), (None, "hello"));
}

#[test]
fn rfc_3164_message_is_divided() {
    for message in [
        "<13>Nov 26 09:00:01 vpn1 openvpn[12]: up",
        "Nov 26 09:00:01 vpn1 openvpn[12]: up\n\0",
        "<13>Nov 26 09:00:01.123 vpn1 openvpn[12] up",
        "<13>2026-11-26T09:00:01.123456+00:00 vpn1 openvpn[12]: up",
        "2026-11-26T10:00:01+0100 vpn1 openvpn[12]: up",
        "<13>2026-11-26 09:00:01 vpn1 openvpn[12]: up",
    ] {
        assert_eq!(parts(message), ["vpn1", "openvpn", "12", "up"], "{message}");
    }
    let without_host = "<38>Nov 26 09:00:01 openvpn[12]: user 'asha' up";
    assert_eq!(
        parts(without_host),
        ["-", "openvpn", "12", "user 'asha' up"]
    );
    let without_process = "<38>Nov 26 09:00:01 2001:db8::1 charon: 05[IKE] up";
    assert_eq!(
        parts(without_process),
        ["2001:db8::1", "charon", "-", "05[IKE] up"]
    );
}

#[test]
fn cisco_message_keeps_its_message_id_in_the_text() {
    let text = "%ASA-6-722051: Group <g>";
    for (message, host) in [
        ("<189>123: Nov 26 2026 09:00:01: ", "-"),
        ("<189>123: 000045: *Nov 26 09:00:01.123 UTC: ", "-"),
        ("<189>123: asa1: .Nov 26 2026 09:00:01: ", "asa1"),
        ("<166>Nov 26 2026 09:00:01 asa1 : ", "asa1"),
        ("<166>Nov 26 2026 09:00:01 asa1: ", "asa1"),
        ("<166>:Nov 26 09:00:01 UTC: ", "-"),
        ("<166>2026-11-26T09:00:01Z asa1 : ", "asa1"),
        ("<166>2026-11-26T09:00:01Z: ", "-"),
    ] {
        let message = format!("{message}{text}");
        assert_eq!(parts(&message), [host, "-", "-", text], "{message}");
    }
    let without_time = header("<166>%ASA-6-722051: Group <g>");
    assert_eq!(
        (without_time.record.at, without_time.record.text),
        (None, text)
    );
}

#[test]
fn message_of_fields_has_no_program() {
    for text in [
        r#"date=2026-11-26 time=09:00:01 devname="FGT60F""#,
        "1,2026/11/26 09:00:01,0123,SYSTEM,globalprotect",
        r#"{"EventTime":"2026-11-26 09:00:01"}"#,
    ] {
        for message in [format!("<189>{text}"), text.to_owned()] {
            let header = header(&message);
            assert!(header.is_recognized);
            assert_eq!(header.record, Record::of_text(text), "{message}");
        }
        let message = format!("<14>Nov 26 09:00:01 fw {text}");
        assert_eq!(parts(&message), ["fw", "-", "-", text]);
        let message = format!("<14>Nov 26 09:00:01 {text}");
        assert_eq!(parts(&message), ["-", "-", "-", text]);
    }
}

#[test]
fn netscaler_message_is_divided() {
    let text = "0-PPE-0 : default SSLVPN LOGIN 12 0 :  Context asha@203.0.113.5";
    for message in [
        "<134> 11/26/2026:09:00:01 GMT ns1 ",
        "<134>Nov 26 09:00:01 ns1 ",
    ] {
        let message = format!("{message}{text}");
        assert_eq!(parts(&message), ["ns1", "-", "-", text], "{message}");
    }
}

#[test]
fn line_of_a_programs_own_log_is_text() {
    let text = "asha/203.0.113.5:51820 MULTI: Learn: 10.8.0.2";
    for message in [
        "2026-11-26 09:00:01 ",
        "2026-11-26 09:00:01 us=123456 ",
        "Thu Nov 26 09:00:01 2026 ",
    ] {
        let message = format!("{message}{text}");
        assert_eq!(parts(&message), ["-", "-", "-", text], "{message}");
    }
}

#[test]
fn other_text_is_not_recognized() {
    for message in [
        "hello",
        "",
        "<>x",
        "<1234>x",
        "99 bottles",
        "GET / HTTP/1.1",
    ] {
        let header = header(message);
        assert!(!header.is_recognized, "{message}");
    }
    assert!(header("<13>hello").is_recognized);
}

proptest! {
    #[test]
    fn header_of_any_text_is_read(
        start in "(<[0-9]{1,4}>)?(1 |[0-9]{1,3}: |\\*)?(Nov +[0-9]{1,2} |2026-11-26[ T])?[0-9:.,]{0,12}",
        text in "\\PC{0,80}",
    ) {
        let message = format!("{start}{text}");
        let header = header(&message);
        prop_assert!(message.contains(header.record.text));
    }
}
