//! Images come from this host alone.

use rollcall_stack_tests::{docker, project, run_script, script};
use serde_json::Value;

#[test]
fn an_image_whose_tag_is_gone_is_never_pulled() {
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
fn every_image_has_a_name_of_this_host_and_is_never_pulled() {
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
