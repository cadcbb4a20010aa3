//! The console in a browser: the scripts in `clients/browser`.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use rollcall_stack_tests::{clients_mount, docker, url};

use crate::seed::seed;

/// Runs a script in a container with a browser. The script writes pictures of what it sees to
/// `target/tmp/screenshots`.
fn run(script: &str) {
    let screenshots = Path::new(env!("CARGO_TARGET_TMPDIR")).join("screenshots");
    fs::create_dir_all(&screenshots).expect("a folder");
    let owner = fs::metadata(&screenshots).expect("its owner");
    let owner = format!("{}:{}", owner.uid(), owner.gid());
    let screenshots = format!("{}:/screenshots", screenshots.display());
    let stack = format!("STACK_URL={}", url());
    let options = ["--rm", "--init", "--network", "host", "--user", &owner];
    let mounts = ["-v", &clients_mount(), "-v", &screenshots];
    let script = format!("/clients/browser/{script}");
    let program = ["-e", &stack, IMAGE, "python3", &script, &seed().to_string()];
    docker(&[&["run"], &options[..], &mounts, &program].concat());
}

/// Name of the image with a browser.
const IMAGE: &str = "localhost/rollcall-build/browser";

#[test]
fn every_page_is_accessible_and_fits_every_screen() {
    run("pages.py");
}

#[test]
fn visitor_needs_neither_a_mouse_nor_scripts() {
    run("walk.py");
}

#[test]
fn page_of_the_api_signs_in_and_calls_version_2() {
    run("api_docs.py");
}
