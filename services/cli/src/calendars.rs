//! `rollcall calendar …`

use clap::Subcommand;
use diesel_async::AsyncConnection;
use jiff::{civil::Time, tz::TimeZone};
use rollcall_attendance::{
    employee::{ASSIGNED_CALENDAR, DEFAULT_CALENDAR},
    period::parse_time,
};
use rollcall_platform::settings;
use rollcall_store::{
    Pool,
    calendars::{self, Addition, MAX_NAMED, Removal},
};
use serde_json::{Value, json};

use crate::{failure::CommandError, note, output::Output, sources::time_zone};

#[derive(Subcommand)]
pub enum Task {
    /// Add a calendar, which reports and employee mappings can name.
    Add {
        /// Name: 1 to 63 small letters, digits, '-' or '_'.
        #[arg(value_parser = calendar_name)]
        name: String,
        /// Time zone in which days begin and times are shown, an IANA name such as Asia/Kolkata.
        #[arg(long, value_parser = time_zone)]
        time_zone: TimeZone,
        /// Local time at which a reporting day begins: HH:MM or HH:MM:SS.
        #[arg(long, value_parser = time_of_day)]
        start_of_day: Time,
    },
    /// List the calendars. The settings describe the calendar `default`.
    List,
    /// Remove a calendar that no employee mapping uses.
    Remove {
        /// Name of the calendar.
        name: String,
    },
}

fn calendar_name(text: &str) -> Result<String, String> {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let has_form = text.bytes().next().is_some_and(is_letter)
        && text
            .bytes()
            .all(|byte| is_letter(byte) || b"-_".contains(&byte))
        && text.len() <= 63;
    if !has_form {
        return Err(
            "must be 1 to 63 small letters, digits, '-' or '_', and begin with a letter or a digit"
                .into(),
        );
    }
    if [DEFAULT_CALENDAR, ASSIGNED_CALENDAR].contains(&text) {
        return Err("must not be default or assigned, which have a meaning of their own".into());
    }
    Ok(text.to_owned())
}

fn time_of_day(text: &str) -> Result<Time, String> {
    parse_time(text)
        .or_else(|| parse_time(&format!("{text}:00")))
        .ok_or_else(|| "must be a time from 00:00 to 23:59, as HH:MM or HH:MM:SS".into())
}

pub async fn run(
    pool: &Pool,
    task: Task,
    settings: &settings::Reporting,
) -> Result<Output, CommandError> {
    match task {
        Task::Add {
            name,
            time_zone,
            start_of_day,
        } => add(pool, &name, &time_zone, start_of_day).await,
        Task::List => list(pool, settings).await,
        Task::Remove { name } => remove(pool, &name).await,
    }
}

async fn add(
    pool: &Pool,
    name: &str,
    time_zone: &TimeZone,
    start_of_day: Time,
) -> Result<Output, CommandError> {
    let zone = time_zone.iana_name().unwrap_or("UTC");
    let addition = pool.ask(async |connection| {
        connection
            .transaction(async |connection| {
                let addition = calendars::add(connection, name, zone, start_of_day).await?;
                let is_added = addition == Addition::Added;
                note(connection, "calendar.add", name, is_added).await?;
                Ok::<_, rollcall_store::Error>(addition)
            })
            .await
    });
    match addition.await? {
        Addition::Added => Ok(Output::one(row(name, zone, start_of_day), "")),
        Addition::Taken => Err(format!(
            "A calendar named {name} already exists. Choose another name, or remove it first with \
             scripts/rollcall calendar remove {name}."
        )
        .into()),
        Addition::Full => Err(format!(
            "There are already {MAX_NAMED} calendars, which is the maximum. Remove one first with \
             scripts/rollcall calendar remove NAME. A report can also name any time zone and start \
             of day without a calendar."
        )
        .into()),
    }
}

async fn list(pool: &Pool, settings: &settings::Reporting) -> Result<Output, CommandError> {
    let named = pool
        .ask(async |connection| calendars::list(connection).await)
        .await?;
    let zone = settings.time_zone.iana_name().unwrap_or("UTC");
    let mut rows = vec![row(DEFAULT_CALENDAR, zone, settings.start_of_day)];
    rows.extend(named.iter().map(|(name, calendar)| {
        let zone = calendar.time_zone.iana_name().unwrap_or("UTC");
        row(name, zone, calendar.start_of_day)
    }));
    Ok(Output::many(&rows, &[], ""))
}

fn row(name: &str, time_zone: &str, start_of_day: Time) -> Value {
    let start_of_day = start_of_day.strftime("%H:%M:%S").to_string();
    json!({"name": name, "time_zone": time_zone, "start_of_day": start_of_day})
}

async fn remove(pool: &Pool, name: &str) -> Result<Output, CommandError> {
    if name == DEFAULT_CALENDAR {
        return Err(CommandError::Usage(
            "The calendar default cannot be removed. It comes from the settings time_zone and \
             start_of_day of the section reporting."
                .into(),
        ));
    }
    let removal = pool.ask(async |connection| {
        connection
            .transaction(async |connection| {
                let removal = calendars::remove(connection, name).await?;
                let is_removed = removal == Removal::Removed;
                note(connection, "calendar.remove", name, is_removed).await?;
                Ok::<_, rollcall_store::Error>(removal)
            })
            .await
    });
    match removal.await? {
        Removal::Removed => Ok(Output::one(
            json!({"name": name}),
            "The calendar is removed.",
        )),
        Removal::Unknown => Err(format!(
            "There is no calendar named {name}. List the calendars with scripts/rollcall calendar \
             list."
        )
        .into()),
        Removal::InUse(mappings) => Err(format!(
            "The calendar {name} is used by {mappings} employee mappings, which scripts/rollcall \
             employee list shows. Give them another calendar first, with scripts/rollcall employee \
             import."
        )
        .into()),
    }
}
