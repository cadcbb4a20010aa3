//! Exceptions: what a person should look at in a period.

mod day;
mod kind;
mod rows;

use futures::Stream;
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use self::day::{Day, Search};
pub use self::kind::Kind;
use crate::{
    attendance::Moment,
    persons::PersonFilter,
    pool::{Connection, Error, StreamConnection},
    sessions::SessionKey,
    sources,
};

/// Selects exceptions.
#[derive(Debug, Clone)]
pub struct Selection {
    /// First reporting day.
    pub first_day: Date,
    /// Bounds of the reporting days, as `Calendar::bounds` returns them.
    pub day_bounds: Vec<Timestamp>,
    /// Kinds.
    pub kinds: Vec<Kind>,
    /// Users and realms. A filter excludes what concerns no person. Employee IDs select the persons
    /// that are mapped to them on any day.
    pub persons: PersonFilter,
}

/// The place of an exception in the order of the list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// Reporting day.
    pub date: Date,
    /// Kind, normalized user, normalized realm, source and session ID, each empty if there is none.
    pub key: Vec<String>,
}

/// Something that a person should look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// Place in the order of the list. Its date is the reporting day in which the session begins or
    /// the events occurred.
    pub position: Position,
    /// Kind of the exception.
    pub kind: Kind,
    /// Display form of the user. None if no person is concerned.
    pub user: Option<String>,
    /// Display form of the realm.
    pub realm: Option<String>,
    /// The employee to whom the person is mapped on the day.
    pub employee_id: Option<String>,
    /// Name of the source. None if no single source is concerned.
    pub source: Option<String>,
    /// The session. None if no single session is concerned.
    pub session: Option<SessionKey>,
    /// When it happened: the end of a closed session, the logout without a login, the login of any
    /// other session, the first login of an unmapped person, the end of an incomplete day, the
    /// arrival of the latest of the events.
    pub at: Timestamp,
    /// Duration in seconds of a long session; number of sessions of an unmapped person; number of
    /// late or skewed events.
    pub number: Option<i64>,
    /// Other source or realm of a person that is connected twice; end reason of a session.
    pub other: Option<String>,
    /// Login of the other session; time of the earliest of the events; instant through which a
    /// source is complete.
    pub other_at: Option<Timestamp>,
}

impl Exception {
    fn day_not_complete(
        date: Date,
        source: &str,
        end: Timestamp,
        complete_through: Option<Timestamp>,
    ) -> Self {
        let kind = Kind::DayNotComplete;
        let key = [kind.as_str(), "", "", source, ""];
        Self {
            position: Position {
                date,
                key: key.map(str::to_owned).to_vec(),
            },
            kind,
            user: None,
            realm: None,
            employee_id: None,
            source: Some(source.to_owned()),
            session: None,
            at: end,
            number: None,
            other: None,
            other_at: complete_through,
        }
    }
}

/// Returns at most `limit` exceptions after `after`, ordered by [`Position`]. They are searched day
/// by day, so that a page reads only the days that it needs. The connection returns to the pool
/// after the last one. If the stream is dropped earlier, the connection is closed.
pub fn list(
    connection: Connection,
    selection: Selection,
    after: Option<Position>,
    limit: u32,
    moment: Moment,
) -> impl Stream<Item = Result<Exception, Error>> {
    let mut connection = StreamConnection::new(connection);
    async_stream::try_stream! {
        let search = search(connection.connection()?, &selection, moment).await?;
        let mut remaining = limit as usize;
        let dates = selection.first_day.series(jiff::Span::new().days(1));
        for (date, bounds) in dates.zip(selection.day_bounds.windows(2)) {
            // A day that the time zone skips has equal bounds and no items.
            let is_past = after.as_ref().is_some_and(|after| date < after.date);
            if is_past || bounds[0] == bounds[1] {
                continue;
            }
            let day = Day {
                date,
                start: bounds[0],
                end: bounds[1],
                after: after.as_ref().filter(|after| after.date == date).map(|after| &after.key[..]),
                limit: remaining,
            };
            let found = search.find(connection.connection()?, &day).await?;
            remaining -= found.len();
            for exception in found {
                yield exception;
            }
            if remaining == 0 {
                break;
            }
        }
        connection.finish();
    }
}

async fn search(
    connection: &mut Connection,
    selection: &Selection,
    moment: Moment,
) -> Result<Search, Error> {
    let namesakes = PersonFilter {
        users: selection.persons.users.clone(),
        ..PersonFilter::default()
    };
    Ok(Search {
        kinds: selection.kinds.clone(),
        persons: selection.persons.ids(connection).await?,
        namesakes: namesakes.ids(connection).await?,
        sources: sources::counted(connection).await?,
        moment,
    })
}
