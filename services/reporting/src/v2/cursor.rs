//! Cursors: where the next page of a list begins. A cursor holds the position of the last item of a
//! page, so that items that are added or removed meanwhile move nothing.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// Number of bytes of the digest in a cursor.
const DIGEST_BYTES: usize = 8;

/// Identifies a query: the endpoint and all its parameters but `cursor` and `limit`. A cursor is
/// valid only for the query that returned it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueryDigest(pub(super) [u8; DIGEST_BYTES]);

impl QueryDigest {
    /// Returns the cursor that continues this query after `position`.
    #[must_use]
    pub fn cursor<P: Serialize>(&self, position: &P) -> String {
        let mut bytes = self.0.to_vec();
        bytes.extend(json!(position).to_string().into_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Returns the position in a cursor. Returns `None` if the cursor belongs to another query, is
    /// no cursor, or contains a NUL character.
    #[must_use]
    pub fn position<P: DeserializeOwned>(&self, cursor: &str) -> Option<P> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (digest, position) = bytes.split_at_checked(DIGEST_BYTES)?;
        let position = serde_json::from_slice(position).ok()?;
        (digest == self.0 && !has_nul(&position))
            .then(|| serde_json::from_value(position).ok())
            .flatten()
    }
}

/// Returns true if a string in `value` contains a NUL character, which PostgreSQL rejects.
fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(has_nul),
        Value::Object(values) => values.values().any(has_nul),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursor_is_valid_only_for_its_query() {
        let (query, other) = (QueryDigest([1; 8]), QueryDigest([2; 8]));
        let cursor = query.cursor(&("2025-01-01", "zoë"));
        let position = query.position::<(String, String)>(&cursor);
        assert_eq!(position, Some(("2025-01-01".into(), "zoë".into())));
        assert_eq!(other.position::<(String, String)>(&cursor), None);
        assert_eq!(query.position::<(u32, String)>(&cursor), None);
        for bad in ["", "x", "AQ", "=", &cursor[1..], &format!("{cursor}A")] {
            assert_eq!(query.position::<(String, String)>(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn position_is_none_if_the_cursor_contains_nul() {
        let query = QueryDigest([1; 8]);
        let with_nul = query.cursor(&("2025-01-01", "zo\0"));
        assert_eq!(query.position::<(String, String)>(&with_nul), None);
    }
}
