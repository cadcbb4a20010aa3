//! HTTP responses as text, for comparison with inline snapshots.

use reqwest::Response;
use serde_json::Value;

/// Response headers that are part of the contract.
const HEADERS: [&str; 6] = [
    "allow",
    "cache-control",
    "content-disposition",
    "content-type",
    "retry-after",
    "www-authenticate",
];

/// Returns the status, the headers and the body. Values that differ between runs are masked.
pub async fn of(response: Response) -> String {
    let mut lines = vec![response.status().to_string()];
    for name in HEADERS {
        lines.extend(
            response
                .headers()
                .get_all(name)
                .iter()
                .map(|value| format!("{name}: {}", value.to_str().unwrap_or("?"))),
        );
    }
    let body = response.text().await.expect("a body");
    lines.push(match serde_json::from_str::<Value>(&body) {
        Ok(mut json) => {
            mask(&mut json);
            serde_json::to_string_pretty(&json).unwrap_or_default()
        }
        Err(_) => body,
    });
    lines.join("\n")
}

fn mask(json: &mut Value) {
    for name in [
        "responseDate",
        "token",
        "access_token",
        "jti",
        "client_id",
        "sub",
    ] {
        if let Some(Value::String(text)) = json.get_mut(name) {
            *text = format!("[{name}]");
        }
    }
}
