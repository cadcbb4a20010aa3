//! Values that several tests of one run share, although each test runs in its own process.

use std::fs;

use serde_json::Value;

use crate::root;

/// Returns the value that the first test made under this name. The value is kept in a file of the
/// stack's checkout, so that it ends with the stack.
pub fn once(name: &str, make: impl FnOnce() -> Value) -> Value {
    let folder = root().join("target/shared");
    let file = folder.join(name);
    if let Ok(text) = fs::read_to_string(&file) {
        return serde_json::from_str(&text).expect("JSON");
    }
    let value = make();
    fs::create_dir_all(folder).expect("a folder");
    fs::write(file, value.to_string()).expect("written");
    value
}

/// Makes the next call of [`once`] with this name make a new value.
pub fn forget(name: &str) {
    // Ignore a failure: there may be no value.
    let _ = fs::remove_file(root().join("target/shared").join(name));
}
