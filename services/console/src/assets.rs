//! The stylesheet, the module and the icon. Their addresses contain a hash of their content, so that browsers
//! keep them until they change.

use std::sync::LazyLock;

use actix_web::{
    HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    web::Path,
};
use sha2::{Digest, Sha256};

use crate::error::Problem;

/// A file of the console.
pub struct Asset {
    /// Path of the file.
    pub path: String,
    content: &'static str,
    content_type: &'static str,
}

impl Asset {
    fn new(name: &str, content: &'static str, content_type: &'static str) -> Self {
        let hash = hex::encode(&Sha256::digest(content)[..8]);
        Self {
            path: format!("/console/assets/{hash}/{name}"),
            content,
            content_type,
        }
    }
}

/// The stylesheet.
pub static STYLESHEET: LazyLock<Asset> = LazyLock::new(|| {
    let content = include_str!("../assets/console.css");
    Asset::new("console.css", content, "text/css; charset=utf-8")
});

/// The module, which adds comfort: all pages work without it.
pub static MODULE: LazyLock<Asset> = LazyLock::new(|| {
    let content = include_str!("../assets/console.js");
    Asset::new("console.js", content, "text/javascript; charset=utf-8")
});

/// The icon of the pages.
pub static ICON: LazyLock<Asset> = LazyLock::new(|| {
    let content = include_str!("../assets/icon.svg");
    Asset::new("icon.svg", content, "image/svg+xml")
});

/// `GET /console/assets/HASH/NAME`.
///
/// # Errors
/// 404 for any other name or hash.
pub async fn asset(path: Path<(String, String)>) -> Result<HttpResponse, Problem> {
    let (hash, name) = path.into_inner();
    let path = format!("/console/assets/{hash}/{name}");
    let asset = [&STYLESHEET, &MODULE, &ICON]
        .into_iter()
        .find(|asset| asset.path == path)
        .ok_or_else(Problem::not_found)?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, asset.content_type))
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .body(asset.content))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assets_are_small() {
        for (asset, max_lines) in [(&STYLESHEET, 400), (&MODULE, 300)] {
            assert!(asset.content.lines().count() <= max_lines, "{}", asset.path);
        }
        assert!(STYLESHEET.content.len() + MODULE.content.len() < 40_000);
    }
}
