//! A browser that keeps cookies and follows no redirect.
#![allow(dead_code, reason = "each test file uses a part")]

pub mod events;

use std::collections::BTreeMap;

use reqwest::{
    Client, Method, RequestBuilder, Response, header, multipart::Form, redirect::Policy,
};
use rollcall_test_support::Rollcall;

/// Address of the visitor, as the reverse proxy sends it.
pub const ADDRESS: &str = "192.0.2.1";

pub struct Browser<'a> {
    rollcall: &'a Rollcall,
    http: Client,
    pub cookies: BTreeMap<String, String>,
    pub headers: Vec<(&'static str, String)>,
}

/// A response with its body.
pub struct Page {
    pub status: u16,
    pub location: String,
    pub headers: header::HeaderMap,
    pub text: String,
}

impl<'a> Browser<'a> {
    pub fn new(rollcall: &'a Rollcall) -> Self {
        let http = Client::builder().redirect(Policy::none()).build();
        Self {
            rollcall,
            http: http.expect("a client"),
            cookies: BTreeMap::new(),
            headers: vec![
                ("sec-fetch-site", "same-origin".into()),
                ("x-forwarded-for", ADDRESS.into()),
                ("x-forwarded-host", "vip.example".into()),
            ],
        }
    }

    /// Signs in as a new API client with these scopes.
    pub async fn signed_in(rollcall: &'a Rollcall, scope: &str) -> Self {
        let (name, password) = rollcall.client(scope).await;
        let mut browser = Self::new(rollcall);
        let page = browser.sign_in(&name, &password).await;
        assert_eq!(page.status, 303, "{}", page.text);
        browser
    }

    /// Sends another header in place of one with the same name. An empty value sends none.
    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        if !value.is_empty() {
            self.headers.push((name, value.to_owned()));
        }
        self
    }

    pub async fn sign_in(&mut self, name: &str, password: &str) -> Page {
        self.post(
            "/console/sign-in",
            &[("name", name), ("password", password)],
        )
        .await
    }

    pub async fn get(&mut self, path: &str) -> Page {
        self.send(Method::GET, path, None).await
    }

    pub async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Page {
        let body = serde_urlencoded::to_string(form).expect("a form");
        self.send(Method::POST, path, Some(body)).await
    }

    /// Sends a form with files, as `multipart/form-data`.
    pub async fn upload(&mut self, path: &str, form: Form) -> Page {
        let url = format!("http://{}{path}", self.rollcall.console);
        let request = self.http.post(url).multipart(form);
        self.finish(request).await
    }

    async fn send(&mut self, method: Method, path: &str, form: Option<String>) -> Page {
        let url = format!("http://{}{path}", self.rollcall.console);
        let mut request = self.http.request(method, url);
        if let Some(form) = form {
            request = request
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form);
        }
        self.finish(request).await
    }

    async fn finish(&mut self, mut request: RequestBuilder) -> Page {
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        let response = request.send().await.expect("a response");
        self.keep_cookies(&response);
        let headers = response.headers().clone();
        let location = headers.get(header::LOCATION);
        Page {
            status: response.status().as_u16(),
            location: location
                .map_or("", |value| value.to_str().expect("text"))
                .into(),
            headers,
            text: response.text().await.expect("a body"),
        }
    }

    fn keep_cookies(&mut self, response: &Response) {
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().expect("text");
            let pair = cookie.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("a pair");
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.into(), value.into());
            }
        }
    }
}

/// Returns the entries of the audit log that the console wrote, the oldest first.
pub async fn audit(rollcall: &Rollcall) -> Vec<String> {
    let query = "SELECT concat(action, ' ', actor, ' ', detail) AS text FROM audit_log
        WHERE role = 'console' ORDER BY id";
    rollcall.database.texts(query).await
}
