//! Lists that are read in pages.

use serde::Serialize;
use utoipa::ToSchema;

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct List<T> {
    /// Items of this page, in the order of the list.
    pub data: Vec<T>,
    /// Value of the parameter `cursor` for the next page. Null after the last page.
    #[schema(example = json!(null))]
    pub next: Option<String>,
}

/// Cuts a page of at most `limit` items from `items`, which has one more if another page follows.
/// Returns true if another page follows.
pub fn cut<T>(items: &mut Vec<T>, limit: u32) -> bool {
    let limit = limit as usize;
    let more = items.len() > limit;
    items.truncate(limit);
    more
}
