//! The console through the VIP, by curl and in a browser.

mod browser;
mod seed;

use rollcall_stack_tests::{Answer, api_client, compose, curl, url};

#[test]
fn root_leads_to_the_console_and_the_console_to_the_sign_in() {
    let answer = curl("/", &["-H", "Host: elsewhere.example"], "");
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, Some("/console/"))
    );
    let answer = curl("/console/", &[], "");
    let sign_in = answer.header("location").expect("an address");
    assert!(sign_in.starts_with("/console/sign-in?"), "{sign_in}");
    let page = curl(sign_in, &[], "");
    assert_eq!(page.status, 200);
    for header in [
        "content-security-policy",
        "strict-transport-security",
        "x-content-type-options",
        "referrer-policy",
    ] {
        let values = page
            .headers
            .iter()
            .filter(|line| line.starts_with(&format!("{header}: ")));
        assert_eq!(values.count(), 1, "{header}: {page:?}");
    }
}

fn sign_in(name: &str, password: &str, origin: &str) -> Answer {
    let (name, password) = (format!("name={name}"), format!("password={password}"));
    let origin = format!("Origin: {origin}");
    let arguments = [
        "--data-urlencode",
        &name,
        "--data-urlencode",
        &password,
        "-H",
        &origin,
    ];
    curl("/console/sign-in", &arguments, "")
}

#[test]
fn visitor_signs_in_through_the_vip() {
    let (name, password) = api_client(&["reporting:read"]);
    assert_eq!(
        sign_in(&name, &password, "https://elsewhere.example").status,
        403
    );
    let answer = sign_in(&name, &password, &url());
    assert_eq!(answer.status, 303, "{answer:?}");
    let cookie = answer.header("set-cookie").expect("a cookie");
    let cookie = cookie.split(';').next().unwrap_or_default();
    let page = curl("/console/", &["--cookie", cookie], "");
    assert!(page.status == 200 && page.body.contains(&name), "{page:?}");
    assert_eq!(
        curl("/console/", &["--cookie", "__Host-console=guess"], "").status,
        303
    );
}

#[test]
fn error_of_the_proxy_below_console_is_a_page() {
    compose(&["stop", "console"]);
    let answer = curl("/console/", &[], "");
    compose(&["up", "--detach", "--wait", "--no-recreate", "console"]);
    assert_eq!(answer.status, 503);
    assert_eq!(
        (answer.header("content-type"), answer.header("retry-after")),
        (Some("text/html; charset=utf-8"), Some("1"))
    );
    assert!(answer.body.contains("scripts/status"), "{answer:?}");
}
