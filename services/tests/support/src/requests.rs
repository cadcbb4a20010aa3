//! HTTP requests to the services under test.

use reqwest::{Response, header};
use serde_json::{Value, json};

use crate::Rollcall;

impl Rollcall {
    /// Signs in as an API client (KB008).
    pub async fn connect(&self, name: &str, password: &str) -> Response {
        let body = json!({"username": name, "password": password});
        self.http
            .post(format!("http://{}/api/v1/auth/connect", self.auth))
            .json(&body)
            .send()
            .await
            .expect("an answer")
    }

    /// Adds an API client and signs in. Returns the token.
    pub async fn token(&self, scope: &str) -> String {
        let (name, password) = self.client(scope).await;
        let answer: Value = self
            .connect(&name, &password)
            .await
            .json()
            .await
            .expect("JSON");
        answer["token"]
            .as_str()
            .unwrap_or_else(|| panic!("no token in {answer}"))
            .to_owned()
    }

    /// Sends events as JSON to the HTTP receiver.
    pub async fn send(&self, key: &str, events: &Value) -> Response {
        self.send_body(key, "application/json", events.to_string().into_bytes())
            .await
    }

    /// Sends a body of any media type to the HTTP receiver.
    pub async fn send_body(&self, key: &str, media_type: &str, body: Vec<u8>) -> Response {
        let request = self
            .http
            .post(format!("http://{}/api/v1/ingestion/events", self.ingestion))
            .bearer_auth(key);
        request
            .header(header::CONTENT_TYPE, media_type)
            .body(body)
            .send()
            .await
            .expect("an answer")
    }

    /// Requests a version 1 report (KB008).
    pub async fn report(&self, token: &str, filters: &Value) -> Response {
        let request = self
            .http
            .post(format!(
                "http://{}/api/v1/reporting/sessions",
                self.reporting
            ))
            .bearer_auth(token);
        request
            .json(&json!({"Filters": filters}))
            .send()
            .await
            .expect("an answer")
    }

    /// Returns the rows of a report on all users, which must succeed.
    pub async fn rows(
        &self,
        token: &str,
        start_date: &str,
        end_date: &str,
        start_of_day: &str,
    ) -> Value {
        let filters = json!({
            "StartDate": start_date,
            "EndDate": end_date,
            "UserName": "All Users",
            "StartOfDay": start_of_day,
            "RequestDate": "2025-01-01",
        });
        let mut answer: Value = self
            .report(token, &filters)
            .await
            .json()
            .await
            .expect("JSON");
        assert_eq!(answer["statusCode"], 200, "{answer}");
        answer["data"].take()
    }
}
