//! Compose files that a test adds to the stack for a while.

use crate::{compose, root};

/// A Compose file of the folder `docker`, in use beside compose.yaml until this value is dropped.
#[derive(Debug)]
pub struct AdditionalComposeFile {
    settings_before: String,
    services: Vec<String>,
}

impl AdditionalComposeFile {
    /// Adds the file and a setting to .env, and recreates these services.
    pub fn switch_on(file: &str, setting: &str, services: &[&str]) -> Self {
        let settings_before = std::fs::read_to_string(root().join(".env")).expect(".env");
        let added = Self {
            settings_before,
            services: services.iter().map(ToString::to_string).collect(),
        };
        added.apply(&format!(
            "{}COMPOSE_FILE=compose.yaml:{file}\n{setting}\n",
            added.settings_before
        ));
        added
    }

    fn apply(&self, settings: &str) {
        std::fs::write(root().join(".env"), settings).expect("written");
        let mut arguments = vec!["up", "--detach", "--wait", "--no-deps"];
        arguments.extend(self.services.iter().map(String::as_str));
        compose(&arguments);
    }
}

impl Drop for AdditionalComposeFile {
    fn drop(&mut self) {
        self.apply(&self.settings_before);
    }
}
