//! Lists that are read in pages.

use serde::Serialize;
use utoipa::ToSchema;

use super::parameters::PageParameters;

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct List<T> {
    /// Items of this page, in the order of the list.
    pub data: Vec<T>,
    /// Value of the parameter `cursor` for the next page. Null after the last page.
    #[schema(required, example = json!(null))]
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

impl<T> List<T> {
    /// Returns a page of `found`, which has one item more than `limit` if another page follows.
    /// `cursor` makes the cursor of the last item of the page.
    pub fn page<F>(
        mut found: Vec<F>,
        limit: u32,
        cursor: impl FnOnce(&F) -> String,
        item: impl FnMut(F) -> T,
    ) -> Self {
        let has_next = cut(&mut found, limit);
        let next = found.last().filter(|_| has_next).map(cursor);
        let data = found.into_iter().map(item).collect();
        Self { data, next }
    }

    /// Returns a page of a short list, ordered by name.
    #[must_use]
    pub fn of_all(
        mut items: Vec<T>,
        page: &PageParameters<String>,
        name: impl Fn(&T) -> &String,
    ) -> Self {
        items.retain(|item| page.after.as_ref().is_none_or(|after| name(item) > after));
        items.sort_by(|a, b| name(a).cmp(name(b)));
        let cursor = |last: &T| page.query.cursor(name(last));
        Self::page(items, page.limit, cursor, |item| item)
    }
}
