//! Persons, and the file that maps them to employees.

mod common;

use common::{Browser, Page, audit};
use reqwest::multipart::{Form, Part};
use rollcall_test_support::Rollcall;

const MAPPING: &str = "/console/people/mapping";
const WRITER: &str = "reporting:read attendance:write";

async fn upload(browser: &mut Browser<'_>, content: &str) -> Page {
    let file = Part::bytes(content.as_bytes().to_vec()).file_name("employees.csv");
    browser
        .upload(MAPPING, Form::new().part("file", file))
        .await
}

/// Stores the file of a preview, as its form does.
async fn store(browser: &mut Browser<'_>, preview: &Page) -> Page {
    let content = regex::Regex::new(r#"name="content" value="([^"]+)""#).expect("a pattern");
    let content = content.captures(&preview.text).expect("a form")[1].to_owned();
    let form = Form::new()
        .text("name", "employees.csv")
        .text("content", content);
    browser.upload(MAPPING, form).await
}

/// Returns the number in a row of the summary.
fn number(page: &Page, name: &str) -> usize {
    let pattern = format!(r#"<th scope="row">{name}</th><td class="number">(\d+)</td>"#);
    let found = regex::Regex::new(&pattern).expect("a pattern");
    let found = found.captures(&page.text);
    let found = found.unwrap_or_else(|| panic!("no {name}: {}", page.text));
    found[1].parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn file_is_previewed_then_stored() {
    let rollcall = Rollcall::start().await;
    let mut browser = Browser::signed_in(&rollcall, WRITER).await;
    let csv = "user,employee_id\nuser_4,E-1004\n<b>user</b>,E-1005\nuser_6,\n";
    let preview = upload(&mut browser, csv).await;
    assert_eq!(preview.status, 200, "{}", preview.text);
    assert_eq!(number(&preview, "Rows"), 3);
    assert_eq!(number(&preview, "Added"), 2);
    assert_eq!(number(&preview, "Rejected rows"), 1);
    assert!(
        preview.text.contains(r#"<td class="number">4</td>"#),
        "{}",
        preview.text
    );
    assert_eq!(rollcall.database.count("employee_mappings").await, 0);

    let stored = store(&mut browser, &preview).await;
    assert_eq!(stored.status, 200, "{}", stored.text);
    assert!(
        stored.text.contains("The changes are stored"),
        "{}",
        stored.text
    );
    assert_eq!(rollcall.database.count("employee_mappings").await, 2);
    let entries = audit(&rollcall).await;
    let last = entries.last().expect("an entry");
    assert!(last.starts_with("employee.import client-"), "{last}");
    assert!(last.contains("employees.csv"), "{last}");

    let again = upload(&mut browser, csv).await;
    assert_eq!(number(&again, "Unchanged"), 2);
    assert!(
        !again.text.contains("Store these changes"),
        "{}",
        again.text
    );
    let people = browser.get("/console/people").await;
    assert!(people.text.contains("E-1004"), "{}", people.text);
    assert!(
        people.text.contains("&lt;b&gt;user&lt;/b&gt;"),
        "{}",
        people.text
    );
    assert!(!people.text.contains("<b>"), "{}", people.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn upload_needs_the_scope_attendance_write() {
    let rollcall = Rollcall::start().await;
    let mut reader = Browser::signed_in(&rollcall, "reporting:read admin").await;
    assert!(!reader.get("/console/people").await.text.contains(MAPPING));
    assert_eq!(reader.get(MAPPING).await.status, 403);
    let page = upload(&mut reader, "user,employee_id\nuser_4,E-1004\n").await;
    assert_eq!(page.status, 403);
    assert!(page.text.contains("attendance:write"), "{}", page.text);
    let mut nobody = Browser::new(&rollcall);
    let page = upload(&mut nobody, "user,employee_id\nuser_4,E-1004\n").await;
    assert_eq!(page.status, 303);
    let mut writer = Browser::signed_in(&rollcall, WRITER).await;
    assert!(writer.get("/console/people").await.text.contains(MAPPING));
    let mut other_site = writer.with_header("sec-fetch-site", "cross-site");
    let page = upload(&mut other_site, "user,employee_id\nuser_4,E-1004\n").await;
    assert_eq!(page.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_file_gets_a_page_that_says_what_is_wrong() {
    let rollcall = Rollcall::start().await;
    let mut browser = Browser::signed_in(&rollcall, WRITER).await;
    let large = "user,employee_id\n".repeat(300_000);
    let many = format!("user,employee_id\n{}", "a,b\n".repeat(50_001));
    for (content, status, expected) in [
        ("", 400, "Choose a CSV file"),
        ("<b>,employee_id\n", 400, "&lt;b&gt;"),
        (many.as_str(), 400, "more than 50000 rows"),
        (large.as_str(), 413, "too large"),
    ] {
        let page = upload(&mut browser, content).await;
        assert_eq!(page.status, status, "{}", page.text);
        assert!(page.text.contains(expected), "{}", page.text);
    }
    let page = browser
        .upload(MAPPING, Form::new().text("content", "*"))
        .await;
    assert_eq!(page.status, 400, "{}", page.text);
    assert_eq!(rollcall.database.count("employee_mappings").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_rows_are_explained_in_the_language_of_the_page() {
    let rollcall = Rollcall::start().await;
    let mut browser = Browser::signed_in(&rollcall, WRITER).await;
    let stored = upload(
        &mut browser,
        "user,employee_id,valid_to\nasha,E-1,2025-06-30\n",
    )
    .await;
    assert_eq!(number(&store(&mut browser, &stored).await, "Added"), 1);
    let long = "x".repeat(129);
    let rows = [
        "ben,,,,,",
        &format!("ben,,{long},,,"),
        "\"b\u{7}\",,E-2,,,",
        "ben,,E-2,night,,",
        "ben,,E-2,,30.06.2025,",
        "ben,,E-2,,2025-07-02,2025-07-01",
        "ben,,E-2,,,,more",
        "asha,,E-3,,2025-06-30,",
        "cleo,,E-4,,2025-01-01,2025-03-31",
        "cleo,,E-5,,2025-03-31,",
    ];
    let header = "user,realm,employee_id,calendar,valid_from,valid_to";
    let file = format!("{header}\n{}\n", rows.join("\n"));
    let reason = regex::Regex::new(r"<td>([^<]*)</td></tr>").expect("a pattern");
    for language in ["en", "de"] {
        browser = browser.with_header("accept-language", language);
        let page = upload(&mut browser, &file).await;
        let reasons: Vec<_> = reason
            .captures_iter(&page.text)
            .map(|found| found[1].replace("&quot;", "'"))
            .collect();
        insta::assert_snapshot!(format!("reasons_{language}"), reasons.join("\n"));
    }
    for (language, expected) in [
        ("en", "The file has no column employee_id."),
        ("de", "Die Datei hat keine Spalte employee_id."),
    ] {
        browser = browser.with_header("accept-language", language);
        let page = upload(&mut browser, "user,number\nasha,1\n").await;
        assert_eq!(page.status, 400, "{}", page.text);
        assert!(page.text.contains(expected), "{}", page.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn list_is_filtered_and_paged_without_a_gap() {
    let rollcall = Rollcall::start().await;
    let mut browser = Browser::signed_in(&rollcall, WRITER).await;
    let rows = (0..250).map(|n| format!("user_{n:03},E-{n}"));
    let lines: Vec<String> = ["user,employee_id".into()]
        .into_iter()
        .chain(rows)
        .collect();
    let preview = upload(&mut browser, &lines.join("\n")).await;
    assert_eq!(number(&store(&mut browser, &preview).await, "Added"), 250);
    let user = regex::Regex::new(r">(user_\d{3})</a>").expect("a pattern");
    let next = regex::Regex::new(r#"rel="next" href="([^"]+)""#).expect("a pattern");
    let mut path = "/console/people?unmapped=false".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = browser.get(&path).await;
        assert_eq!(page.status, 200, "{}", page.text);
        seen.extend(
            user.captures_iter(&page.text)
                .map(|found| found[1].to_owned()),
        );
        let Some(found) = next.captures(&page.text) else {
            break;
        };
        path = found[1].replace("&amp;", "&");
    }
    let expected: Vec<String> = (0..250).map(|n| format!("user_{n:03}")).collect();
    assert_eq!(seen, expected);
    let page = browser.get("/console/people?user=USER_007").await;
    assert_eq!(user.captures_iter(&page.text).count(), 1);
    let page = browser.get("/console/people?unmapped=true").await;
    assert!(page.text.contains("no such person"), "{}", page.text);
    for path in [
        "/console/people?unmapped=1",
        "/console/people?user=%00",
        "/console/people?after_user=%00",
    ] {
        assert_eq!(browser.get(path).await.status, 400, "{path}");
    }
}
