//! Check of a TLS configuration by sslyze.

use crate::run_client;

/// Asserts that the TLS configuration of `address` (host and port) complies with Mozilla's
/// intermediate recommendation.
pub fn assert_tls_is_mozilla_intermediate(address: &str) {
    let scan = run_client(&["sslyze", "--mozilla_config=intermediate", address], "");
    let scan = String::from_utf8_lossy(&scan.stdout).into_owned();
    let verdict = scan
        .split("COMPLIANCE AGAINST TLS CONFIGURATION")
        .nth(1)
        .unwrap_or_else(|| panic!("no verdict: {scan}"));
    let faults: Vec<&str> = verdict
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("* "))
        .collect();
    // The only expected fault is that browsers do not trust the stack's CA.
    assert!(
        matches!(faults[..], [one] if one.contains("certificate_path_validation")),
        "{verdict}"
    );
}
