//! Paths in JSON.

use std::borrow::Cow;

use serde_json::Value;

/// Returns the text at a dotted path, such as `actor.email` or `items.0.ip`. A key may itself
/// contain dots.
pub(super) fn text_at<'a>(value: &'a Value, path: &str) -> Option<Cow<'a, str>> {
    let child = |name: &str| match value {
        Value::Object(fields) => fields.get(name),
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        _ => None,
    };
    if let Some(value) = child(path) {
        return match value {
            Value::String(text) => Some(text.into()),
            Value::Number(_) | Value::Bool(_) => Some(value.to_string().into()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        };
    }
    path.match_indices('.')
        .find_map(|(dot, _)| text_at(child(&path[..dot])?, &path[dot + 1..]))
}
