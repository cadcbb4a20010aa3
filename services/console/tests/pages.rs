//! Properties of all pages: headers, errors, cross-site requests, languages.

mod common;

use common::Browser;
use rollcall_test_support::Rollcall;

#[tokio::test(flavor = "multi_thread")]
async fn every_response_has_the_security_headers() {
    let rollcall = Rollcall::start().await;
    let mut browser = Browser::signed_in(&rollcall, "reporting:read").await;
    let stylesheet = rollcall_console::assets::STYLESHEET.path.clone();
    let pages = [
        browser.get("/console/").await,
        browser.get("/console/sign-in").await,
        browser.get("/console/none").await,
        browser.get(&stylesheet).await,
        browser.post("/console/", &[]).await,
        browser.post("/console/language", &[]).await,
    ];
    let statuses = pages.each_ref().map(|page| page.status);
    assert_eq!(statuses, [200, 200, 404, 200, 405, 400]);
    for page in pages {
        let policy = page.headers["content-security-policy"]
            .to_str()
            .expect("text");
        assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"));
        assert_eq!(page.headers["x-content-type-options"], "nosniff");
        assert_eq!(page.headers["referrer-policy"], "no-referrer");
        let is_page = page.headers["content-type"] == "text/html; charset=utf-8";
        assert_eq!(page.headers["cache-control"] == "no-store", is_page);
        assert!(!page.text.contains("style=") && !page.text.contains(" onclick="));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn request_from_another_site_changes_nothing() {
    let rollcall = Rollcall::start().await;
    let signed_in = Browser::signed_in(&rollcall, "reporting:read").await;
    for (site, origin, status) in [
        ("cross-site", "https://evil.example", 403),
        ("same-site", "https://vip.example", 403),
        ("", "https://evil.example", 403),
        ("", "null", 403),
        ("", "", 403),
        ("", "https://vip.example", 303),
    ] {
        let mut browser = Browser::new(&rollcall)
            .with_header("sec-fetch-site", site)
            .with_header("origin", origin);
        browser.cookies.clone_from(&signed_in.cookies);
        let page = browser.post("/console/sign-out", &[]).await;
        assert_eq!(page.status, status, "{site} {origin}");
        if status == 403 {
            assert_eq!(
                browser.get("/console/").await.status,
                200,
                "still signed in"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn markup_in_input_is_escaped() {
    let rollcall = Rollcall::start().await;
    let mut browser = Browser::new(&rollcall);
    let markup = r#""><script>alert(1)</script>"#;
    let pages = [
        browser.sign_in(markup, "b").await,
        browser.sign_in("a\0", "b\0").await,
        browser
            .get("/console/%3Cscript%3E?a=%22%3E%3Cscript%3E")
            .await,
        browser
            .get("/console/sign-in?next=/console/%22%3E%3Cscript%3Ealert(1)")
            .await,
        browser
            .post(
                "/console/language",
                &[("language", markup), ("next", markup)],
            )
            .await,
    ];
    assert_eq!(
        pages.each_ref().map(|page| page.status),
        [401, 401, 404, 200, 400]
    );
    for page in &pages {
        assert!(!page.text.contains("<script>"), "{}", page.text);
    }
    assert!(
        pages[4].text.contains("&lt;script&gt;alert(1)"),
        "{}",
        pages[4].text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn language_follows_the_browser_until_the_visitor_chooses_one() {
    let rollcall = Rollcall::start().await;
    let mut browser = Browser::new(&rollcall).with_header("accept-language", "de-CH,en;q=0.5");
    let page = browser.get("/console/sign-in").await;
    assert!(page.text.contains(r#"<html lang="de">"#) && page.text.contains("Anmelden"));
    let next = "/console/sign-in?next=/console/";
    let choice = [("language", "en"), ("next", next)];
    let page = browser.post("/console/language", &choice).await;
    assert_eq!((page.status, page.location.as_str()), (303, next));
    let page = browser.get("/console/sign-in").await;
    assert!(page.text.contains(r#"<html lang="en">"#) && page.text.contains("Sign in"));
    let elsewhere = [
        ("language", "en"),
        ("next", "https://evil.example/console/"),
    ];
    let page = browser.post("/console/language", &elsewhere).await;
    assert_eq!(page.location, "/console/");
}

#[tokio::test(flavor = "multi_thread")]
async fn page_is_complete_html() {
    let rollcall = Rollcall::start().await;
    let mut browser = Browser::new(&rollcall);
    let text = browser.get("/console/sign-in").await.text;
    let hash = regex::Regex::new("/assets/[0-9a-f]{16}/").expect("a pattern");
    insta::assert_snapshot!(
        hash.replace_all(&text, "/assets/HASH/")
            .replace("><", ">\n<")
    );
}
