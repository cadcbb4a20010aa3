//! The form with the filters.

use maud::{Markup, html};

use super::View;
use crate::attendance::{
    query::{PATH, Range, word},
    state::State,
};

/// Returns the form with the filters. It keeps the order of the rows and begins at the first page.
pub(super) fn form(view: &View) -> Markup {
    let query = view.query;
    let text = |key| view.text(key);
    html! {
        form.filters method="get" action=(PATH) role="search" {
            input type="hidden" name="range" value=(word(&Range::ALL, query.range));
            @if query.timeline { input type="hidden" name="view" value="timeline"; }
            (hidden_order(view))
            div {
                label for="date" { (text("attendance.date")) }
                input id="date" type="date" name="date" value=(query.date) required;
            }
            div {
                label for="search" { (text("attendance.search")) }
                input id="search" type="search" name="search" value=[query.search.as_ref()]
                    autocapitalize="none" spellcheck="false" maxlength="256";
            }
            div {
                label for="realm" { (text("attendance.realm")) }
                input id="realm" type="text" name="realm" value=[query.realm.as_ref()]
                    autocapitalize="none" spellcheck="false" maxlength="256";
            }
            (select("source", text("attendance.source"), text("attendance.all"),
                view.sources.iter().map(|name| (name.as_str(), name.as_str())),
                query.source.as_deref()))
            (select("state", text("attendance.state"), text("attendance.all"),
                State::ALL.into_iter().map(|(name, state)| (name, text(label(state)))),
                query.state.map(|state| word(&State::ALL, state))))
            @if !view.calendars.is_empty() { (calendars(view)) }
            (select("rows", text("attendance.rows"), text("attendance.persons"),
                [("employees", text("attendance.employees"))].into_iter(),
                query.employees.then_some("employees")))
            div.check {
                input id="absent" type="checkbox" name="absent" value="on" checked[query.absent];
                label for="absent" { (text("attendance.with_absent")) }
            }
            button.primary type="submit" { (text("attendance.show")) }
        }
    }
}

fn calendars(view: &View) -> Markup {
    let assigned = [("assigned", view.text("attendance.assigned"))];
    let named = view
        .calendars
        .iter()
        .map(|name| (name.as_str(), name.as_str()));
    let chosen = Some(view.query.calendar.as_str()).filter(|name| *name != "default");
    select(
        "calendar",
        view.text("attendance.calendar"),
        view.text("attendance.default_calendar"),
        assigned.into_iter().chain(named),
        chosen,
    )
}

fn hidden_order(view: &View) -> Markup {
    use crate::attendance::order::Sort;
    let order = view.query.order;
    html! {
        @if order.sort != Sort::Name {
            input type="hidden" name="sort" value=(word(&Sort::ALL, order.sort));
        }
        @if order.descending { input type="hidden" name="direction" value="desc"; }
    }
}

fn select<'a>(
    name: &str,
    label: &str,
    all: &str,
    options: impl Iterator<Item = (&'a str, &'a str)>,
    chosen: Option<&str>,
) -> Markup {
    html! {
        div {
            label for=(name) { (label) }
            select id=(name) name=(name) {
                option value="" { (all) }
                @for (value, label) in options {
                    option value=(value) selected[chosen == Some(value)] { (label) }
                }
            }
        }
    }
}

/// Returns the key of the name of a state.
pub(super) fn label(state: State) -> &'static str {
    match state {
        State::Final => "state.final",
        State::Provisional => "state.provisional",
        State::Open => "state.open",
        State::Timeout => "state.timeout",
        State::Restart => "state.restart",
        State::Absent => "state.absent",
    }
}
