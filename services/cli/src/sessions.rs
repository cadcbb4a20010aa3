//! `rollcall session …`

use clap::Subcommand;
use jiff::{Span, civil::Date};
use rollcall_platform::{clock::Clock, command::Failure, settings};
use rollcall_store::{Pool, sessions};

use crate::{note, output::Output};

#[derive(Subcommand)]
pub enum Task {
    /// List the sessions of a user with the reason why each has ended: logout, restart of the source,
    /// or timeout.
    List {
        /// The user, in any case.
        user: String,
        /// First day, in the reporting time zone. The default is a month ago.
        #[arg(long)]
        from: Option<Date>,
        /// Last day. The default is today.
        #[arg(long)]
        to: Option<Date>,
    },
}

pub async fn run(
    pool: &Pool,
    task: Task,
    settings: &settings::Reporting,
) -> Result<Output, Failure> {
    let Task::List { user, from, to } = task;
    let now = Clock::System.now();
    let today = now.to_zoned(settings.time_zone.clone()).date();
    let (from, to) = (
        from.unwrap_or(today.checked_sub(Span::new().months(1))?),
        to.unwrap_or(today).tomorrow()?,
    );
    let begins = |day: Date| {
        day.to_zoned(settings.time_zone.clone())
            .map(|midnight| midnight.timestamp())
    };
    let period = (begins(from)?, begins(to)?);
    let found = pool.ask(async |connection| {
        note(connection, "session.list", &user, true).await?;
        Ok::<_, rollcall_store::Error>(
            sessions::of_user(connection, &user, period, settings.timeout_before(now)).await?,
        )
    });
    Ok(Output::many(
        &found.await?,
        "There is no session of this user in these days.",
    ))
}
