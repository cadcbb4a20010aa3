//! `rollcall session …`

use clap::Subcommand;
use jiff::{Span, civil::Date};
use rollcall_platform::{clock::Clock, settings};
use rollcall_store::{Pool, sessions};

use crate::{arguments::date, failure::CommandError, note, output::Output};

#[derive(Subcommand)]
pub enum Task {
    /// List the sessions of a user, and why each ended.
    ///
    /// A session ends by a logout event, by a restart of its source, or by timeout. An open session
    /// has no end. The accuracy of a time is the number of seconds by which it may be wrong.
    List {
        /// User name, in upper or lower case.
        user: String,
        /// First day (YYYY-MM-DD), in the reporting time zone. The default is a month ago.
        #[arg(long, value_parser = date)]
        from: Option<Date>,
        /// Last day (YYYY-MM-DD). The default is today.
        #[arg(long, value_parser = date)]
        to: Option<Date>,
    },
}

/// Columns of the list for people.
const COLUMNS: [&str; 10] = [
    "user",
    "realm",
    "login_at",
    "login_accuracy_seconds",
    "ended_at",
    "end_accuracy_seconds",
    "end_reason",
    "last_activity_at",
    "source",
    "session_id",
];

pub async fn run(
    pool: &Pool,
    task: Task,
    settings: &settings::Reporting,
) -> Result<Output, CommandError> {
    let Task::List { user, from, to } = task;
    let zone = &settings.time_zone;
    let now = Clock::System.now();
    let today = now.to_zoned(zone.clone()).date();
    let from = from.unwrap_or(today.checked_sub(Span::new().months(1))?);
    let to = to.unwrap_or(today);
    if from > to {
        return Err(CommandError::Usage(format!(
            "--from must not be after --to (got {from} and {to})."
        )));
    }
    let midnight = |day: Date| {
        day.to_zoned(zone.clone())
            .map(|midnight| midnight.timestamp())
    };
    let period = (midnight(from)?, midnight(to.tomorrow()?)?);
    let timeout = settings.session_timeout();
    let found = pool.ask(async |connection| {
        note(connection, "session.list", &user, true).await?;
        let sessions = sessions::of_user(connection, &user, period, (now, timeout)).await?;
        Ok::<_, rollcall_store::Error>(sessions)
    });
    let none = format!(
        "There is no session of {user} from {from} to {to}. Check the spelling, or choose other \
         days with --from and --to."
    );
    Ok(Output::many(&found.await?, &COLUMNS, &none))
}
