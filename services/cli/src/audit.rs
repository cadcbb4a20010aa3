//! `rollcall audit …`

use clap::Subcommand;
use jiff::civil::Date;
use rollcall_platform::settings;
use rollcall_store::{Pool, audit_log};

use crate::{arguments::date, failure::CommandError, output::Output};

#[derive(Subcommand)]
pub enum Task {
    /// List the latest entries of the audit log, latest first.
    List {
        /// Leave out entries from before this day (YYYY-MM-DD), in the reporting time zone.
        #[arg(long, value_parser = date)]
        since: Option<Date>,
        /// Maximum number of entries.
        #[arg(
            long,
            default_value_t = 100,
            value_parser = clap::value_parser!(u32).range(1..=10_000)
        )]
        limit: u32,
    },
}

pub async fn run(
    pool: &Pool,
    task: Task,
    settings: &settings::Reporting,
) -> Result<Output, CommandError> {
    let Task::List { since, limit } = task;
    let since = since
        .map(|day| day.to_zoned(settings.time_zone.clone()))
        .transpose()?
        .map(|midnight| midnight.timestamp());
    let entries = pool
        .ask(async |connection| audit_log::latest(connection, since, limit).await)
        .await?;
    let none = "The audit log has no entry in this period.";
    Ok(Output::many(&entries, &[], none))
}
