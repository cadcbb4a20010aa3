//! HTTP requests through the VIP by curl.

use serde_json::{Value, json};

use crate::{client, url};

/// Arguments of curl that send standard input as a JSON body.
pub const JSON_FROM_STDIN: [&str; 4] = ["-H", "Content-Type: application/json", "-d", "@-"];

/// An HTTP response as curl prints it.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Header lines, with names in lower case.
    pub headers: Vec<String>,
    /// Response body.
    pub body: String,
}

impl Answer {
    /// Parses the body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Returns the value of a header, whose name is given in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find_map(|line| line.strip_prefix(&format!("{name}: ")))
    }
}

/// Requests a path of the VIP by curl, which trusts the stack's CA. `input` is curl's standard
/// input.
pub fn curl(path: &str, arguments: &[&str], input: &str) -> Answer {
    let url = format!("{}{path}", url());
    let mut command = vec!["curl", "-sS", "-i", "--max-time", "60"];
    command.extend(["--cacert", "/state/ca.pem", &url]);
    command.extend(arguments);
    parse(&client(&command, input))
}

/// Parses the final response in the output of `curl -i`. Responses with status 100 are skipped.
#[must_use]
pub fn parse(text: &str) -> Answer {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
    if head.starts_with("HTTP/1.1 100") {
        return parse(body);
    }
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1)?.parse().ok())
        .unwrap_or_else(|| panic!("no status: {text}"));
    let lower = |line: &str| {
        line.split_once(": ").map_or_else(
            || line.to_lowercase(),
            |(name, value)| format!("{}: {value}", name.to_lowercase()),
        )
    };
    Answer {
        status,
        headers: lines.map(lower).collect(),
        body: body.to_owned(),
    }
}

/// Posts JSON to a path of the VIP, with a bearer token or source key.
pub fn post_json(path: &str, bearer: &str, body: &Value) -> Answer {
    let authorization = format!("Authorization: Bearer {bearer}");
    let arguments = [&["-H", &authorization][..], &JSON_FROM_STDIN].concat();
    curl(path, &arguments, &body.to_string())
}

/// Requests a version 1 report on all users.
pub fn report(token: &str, start_date: &str, end_date: &str) -> Answer {
    let filters = json!({
        "StartDate": start_date,
        "EndDate": end_date,
        "UserName": "All Users",
        "StartOfDay": "00:00:00",
        "RequestDate": end_date,
    });
    let body = json!({"Filters": filters});
    post_json("/api/v1/reporting/sessions", token, &body)
}

/// Sends events as JSON with a source key.
pub fn send(key: &str, events: &Value) -> Answer {
    post_json("/api/v1/ingestion/events", key, events)
}
