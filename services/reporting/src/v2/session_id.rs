//! The opaque ID of a session. The ID of a session whose events have a correlation key can change
//! when a late event arrives.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rollcall_store::sessions::SessionKey;

/// Returns the ID of a session.
#[must_use]
pub fn encode(key: &SessionKey) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}.{}", key.source_id, key.session_id))
}

/// Returns the session of an ID. Returns `None` if no session can have the ID.
#[must_use]
pub fn parse(id: &str) -> Option<SessionKey> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(id).ok()?).ok()?;
    let (source_id, session_id) = text.split_once('.')?;
    let key = SessionKey {
        source_id: source_id.parse().ok()?,
        session_id: session_id.to_owned(),
    };
    // PostgreSQL takes no NUL in a text. Only one text is the ID of a session.
    (!session_id.contains('\0') && encode(&key) == id).then_some(key)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn id_names_its_session(source_id in any::<i32>(), session_id in "[^\0]{0,20}") {
            let key = SessionKey { source_id, session_id };
            prop_assert_eq!(parse(&encode(&key)), Some(key));
        }

        #[test]
        fn any_text_is_parsed_without_a_panic(id in ".{0,20}") {
            if let Some(key) = parse(&id) {
                prop_assert_eq!(encode(&key), id);
            }
        }
    }

    #[test]
    fn text_that_is_no_id_is_rejected() {
        for text in ["1", "x.a", "+1.a", "1.a\0"] {
            assert_eq!(parse(&URL_SAFE_NO_PAD.encode(text)), None, "{text:?}");
        }
    }
}
