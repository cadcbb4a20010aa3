//! All images are built on this host. None is pulled from a registry.

use rollcall_stack_tests::{docker, project, run_script, script};
use serde_json::Value;

#[test]
fn command_with_missing_image_fails_and_pulls_nothing() {
    let (image, kept) = (
        format!("localhost/{}/services", project()),
        format!("localhost/{}/services:kept", project()),
    );
    docker(&["image", "tag", &image, &kept]);
    docker(&["image", "rm", &image]);
    let output = run_script("rollcall", &["client", "list"]);
    docker(&["image", "tag", &kept, &image]);
    docker(&["image", "rm", &kept]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && error.contains("no such image"),
        "{error}"
    );
    script("rollcall", &["client", "list"]);
}

#[test]
fn image_of_every_service_is_local_and_never_pulled() {
    let config = docker(&[
        "compose",
        "--profile",
        "operator",
        "config",
        "--format",
        "json",
    ]);
    let config: Value = serde_json::from_str(&config).expect("JSON");
    let services = config["services"].as_object().expect("services");
    assert!(services.len() > 8);
    for (name, service) in services {
        let image = service["image"].as_str().expect("an image");
        assert!(
            image.starts_with(&format!("localhost/{}/", project()))
                && service["pull_policy"] == "never",
            "{name}: {service}"
        );
    }
}
