//! Parts of pages that several pages use.

use maud::{Markup, html};

use crate::{error::Problem, messages::Language};

/// Number of rows of a page.
const PAGE: usize = 100;

/// Returns a short text with a colour: `good`, `warning` or `bad`. The text says the same as the
/// colour.
#[must_use]
pub fn badge(class: &str, text: &str) -> Markup {
    html! { span class={ "badge " (class) } { (text) } }
}

/// Returns a command that can be copied. `id` is unique on the page.
#[must_use]
pub fn command(id: &str, command: &str, language: Language) -> Markup {
    let id = format!("command-{id}");
    html! {
        div.command {
            pre tabindex="0" { code id=(id) { (command) } }
            button type="button" hidden data-copy=(id)
                data-copied=(language.text("command.copied")) {
                (language.text("command.copy"))
            }
        }
    }
}

/// Returns a wide table that scrolls on its own, with the keyboard too. The label names it.
#[must_use]
pub fn scrolling(label: &str, table: &Markup) -> Markup {
    html! { div.scroll tabindex="0" role="region" aria-label=(label) { (table) } }
}

/// Returns an address with those parameters that are not empty.
#[must_use]
pub fn link(path: &str, parameters: &[(&str, &str)]) -> String {
    let filled: Vec<_> = parameters
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .collect();
    // A list of pairs can always be encoded.
    let query = serde_urlencoded::to_string(filled).unwrap_or_default();
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    }
}

/// A page of a list that is in memory.
#[derive(Debug, Clone, Copy)]
pub struct Paging {
    page: usize,
    pages: usize,
}

impl Paging {
    /// Parses the number of a page, from 1. Without one it is the first.
    ///
    /// # Errors
    /// 400 if this is not the number of a page.
    pub fn new(page: Option<&str>, rows: usize) -> Result<Self, Problem> {
        let pages = rows.div_ceil(PAGE).max(1);
        let number = page.map_or(Ok(1), str::parse::<usize>);
        match number {
            Ok(page) if (1..=pages).contains(&page) => Ok(Self { page, pages }),
            _ => {
                let got = page.unwrap_or_default();
                Err(Problem::bad_request("error.bad_page", &[("got", got)]))
            }
        }
    }

    /// Returns the rows of the page.
    #[must_use]
    pub fn of<'a, T>(&self, rows: &'a [T]) -> &'a [T] {
        rows.chunks(PAGE).nth(self.page - 1).unwrap_or_default()
    }

    /// Returns links to the previous and the next page.
    #[must_use]
    pub fn links(&self, path: &str, parameters: &[(&str, &str)], language: Language) -> Markup {
        let to = |page: usize| {
            let page = page.to_string();
            let mut parameters = parameters.to_vec();
            parameters.push(("page", &page));
            link(path, &parameters)
        };
        let (page, pages) = (self.page.to_string(), self.pages.to_string());
        let position = language.with("pages.position", &[("page", &page), ("pages", &pages)]);
        html! {
            @if self.pages > 1 {
                nav.pages aria-label=(language.text("pages.label")) {
                    @if self.page > 1 {
                        a rel="prev" href=(to(self.page - 1)) { (language.text("pages.previous")) }
                    }
                    span { (position) }
                    @if self.page < self.pages {
                        a rel="next" href=(to(self.page + 1)) { (language.text("pages.next")) }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_has_its_part_of_the_rows() {
        let rows: Vec<usize> = (0..250).collect();
        let page = |page| Paging::new(page, rows.len());
        assert_eq!(page(None).expect("a page").of(&rows), &rows[..100]);
        assert_eq!(page(Some("3")).expect("a page").of(&rows), &rows[200..]);
        for wrong in ["0", "4", "-1", "", "one"] {
            assert!(page(Some(wrong)).is_err(), "{wrong:?}");
        }
        assert!(
            Paging::new(None, 0)
                .expect("a page")
                .of(&rows[..0])
                .is_empty()
        );
    }

    #[test]
    fn link_leaves_empty_parameters_out() {
        assert_eq!(link("/a", &[("b", ""), ("c", "d&e")]), "/a?c=d%26e");
        assert_eq!(link("/a", &[("b", "")]), "/a");
    }
}
