//! `rollcall source …`

mod add;
mod authentication;
mod log_source;
mod rejected;
mod secrets;
mod set;
mod set_names;

use clap::Subcommand;
use rollcall_attendance::name_rules::NameRule;
use rollcall_formats::rules::Rules;
use rollcall_platform::{clock::Clock, rule_files, settings::Settings};
use rollcall_store::{
    Pool,
    sources::{self, Change},
};
use serde_json::json;

use self::add::network;
pub use self::log_source::{LogSource, log_source, time_zone};
use crate::{change, confirm::confirm, failure::CommandError, output::Output, replay, try_rules};

#[derive(Subcommand)]
pub enum Task {
    /// Add a source with a generated key, which is shown only once.
    Add {
        /// Name of the source: 1 to 64 letters, digits, '-', '_' or '.'.
        name: String,
        /// Address or network from which the source sends syslog or RADIUS, such as 192.0.2.7 or
        /// 192.0.2.0/28; may be repeated.
        #[arg(long = "network", alias = "sender", value_parser = network)]
        networks: Vec<String>,
        /// Also generate a RADIUS shared secret, which is shown only once.
        #[arg(long)]
        radius: bool,
        /// Time after which everything that the source reports counts as received: seconds, or a
        /// duration such as 24h. Until then, rows of reports are provisional. 0: the source states
        /// its completeness by `complete_through`. The default is 24h with --network, and else 0.
        #[arg(long, value_name = "DURATION", value_parser = set::assume_complete_after)]
        assume_complete_after: Option<set::Setting<i32>>,
        /// All events of the source are imported, so that rows need not wait for the source to
        /// become final.
        #[arg(long)]
        imports_only: bool,
    },
    /// List the sources: number of events, last event, completeness and gaps.
    List,
    /// Replace the source networks, from which a source sends syslog and RADIUS.
    #[command(alias = "set-senders")]
    SetNetworks {
        /// Name of the source.
        name: String,
        /// Addresses or networks. Without any, the source can send neither syslog nor RADIUS.
        #[arg(value_parser = network)]
        networks: Vec<String>,
    },
    /// Give a source a new RADIUS shared secret, which is shown only once.
    RotateRadiusSecret {
        /// Name of the source.
        name: String,
    },
    /// Set whether RADIUS packets must have a Message-Authenticator (RFC 2869).
    RequireMessageAuthenticator {
        /// Name of the source.
        name: String,
        /// `on` drops and logs packets without a Message-Authenticator.
        state: Switch,
    },
    /// Set the client certificate that a source must present for syslog over TLS.
    ///
    /// Usage: scripts/rollcall source set-certificate NAME FILE.pem, or --none instead of the file.
    SetCertificate {
        /// Name of the source.
        name: String,
        /// Remove the requirement. Syslog over UDP and plain TCP is accepted again.
        #[arg(long)]
        none: bool,
    },
    /// Set the time zone, the RADIUS interval or the completeness of a source.
    Set {
        /// Name of the source.
        name: String,
        /// Time zone of times without an offset (RFC 3164, CSV), an IANA name such as Asia/Kolkata;
        /// `reporting` means the reporting time zone.
        #[arg(long, value_parser = set::time_zone)]
        time_zone: Option<set::Setting<String>>,
        /// Seconds between two interim updates of RADIUS; 0 means unknown. A session without an
        /// update for twice as long is closed, once the source has reported something later.
        #[arg(long, value_parser = set::interim_interval)]
        interim_interval: Option<set::Setting<i32>>,
        /// Time after which everything that the source reports counts as received: seconds, or a
        /// duration such as 24h. 0: the source states its completeness by `complete_through`.
        #[arg(long, value_name = "DURATION", value_parser = set::assume_complete_after)]
        assume_complete_after: Option<set::Setting<i32>>,
        /// True if all events of the source are imported, so that rows become final without waiting
        /// for the source.
        #[arg(long)]
        imports_only: Option<bool>,
    },
    /// Replace the rules that turn the names in events into user and realm.
    ///
    /// The rules are applied in the order given: split=FORM (the other part becomes the realm),
    /// strip=FORM (the other part is dropped), `map_realm=FROM:TO`, `lower_case=user`,
    /// `lower_case=realm`. FORM is `down_level` (CORP\tim), upn (tim@corp.example), `realm_roles`
    /// (`tim(Staff)[Users]`) or `display_name` (Tim Bo (tim)). Preview them with scripts/rollcall
    /// source try-rules FILE --name-rule RULE.
    SetNames {
        /// Name of the source.
        name: String,
        /// Rules, such as split=upn `map_realm=corp.example:Corp`. The realm of an event that
        /// names no realm is Default.
        #[arg(value_name = "RULE", required_unless_present = "none")]
        rules: Vec<NameRule>,
        /// Remove the rules.
        #[arg(long, conflicts_with = "rules")]
        none: bool,
    },
    /// Show what the syslog rules make of a log file.
    ///
    /// Usage: scripts/rollcall source try-rules FILE [--source NAME] [--all]. Shows how many
    /// lines became events, by which rule, the sessions that would result, and the commonest lines
    /// that no rule took. The exit code is 1 if a line is refused. Nothing is recorded.
    #[command(alias = "try-rule")]
    TryRules(try_rules::Task),
    /// Reset `complete_through` of a source that reported a wrong time.
    ///
    /// The next event of the source with a `complete_through` sets it again.
    ResetCompleteThrough {
        /// Name of the source.
        name: String,
    },
    /// Record the events of a source that were set aside.
    ///
    /// They keep their original times of arrival. Events that the database refuses again remain set
    /// aside; the exit code is then 1.
    Replay {
        /// Name of the source.
        name: String,
    },
    /// Show what was rejected and why, with the latest sample of each reason.
    ///
    /// The rows without a source are from addresses that are in no source network. The counts are
    /// at most a few seconds old.
    Rejected {
        /// Name of the source. Without it, all sources are shown.
        name: Option<String>,
        /// Remove the counts and samples instead of showing them.
        #[arg(long)]
        reset: bool,
    },
    /// Disable a source within 5 seconds. Its recorded events are kept.
    Disable {
        /// Name of the source.
        name: String,
    },
    /// Enable a source and give it a new key, which is shown only once.
    RotateKey {
        /// Name of the source.
        name: String,
    },
}

#[derive(Clone, Copy, clap::ValueEnum)]
pub enum Switch {
    On,
    Off,
}

/// Columns of the list for people.
const COLUMNS: [&str; 15] = [
    "name",
    "events",
    "last_event_at",
    "complete_through",
    "gaps",
    "set_aside",
    "rejected",
    "networks",
    "client_certificate",
    "time_zone",
    "interim_seconds",
    "assume_complete_seconds",
    "imports_only",
    "name_rules",
    "disabled_at",
];

pub async fn run(
    pool: &Pool,
    task: Task,
    yes: bool,
    settings: &Settings,
) -> Result<Output, CommandError> {
    match task {
        Task::Add {
            name,
            networks,
            radius,
            assume_complete_after,
            imports_only,
        } => {
            let settings = Change {
                assume_complete_seconds: assume_complete_after.map(|after| after.0),
                imports_only: imports_only.then_some(true),
                ..Change::default()
            };
            add::add(pool, &name, &networks, radius, &settings).await
        }
        Task::TryRules(task) => {
            let rules = Rules::with_files(&rule_files::read(&settings.ingestion.rules_directory)?)?;
            let log = try_rules::log_source(pool, &task, &settings.reporting.time_zone).await?;
            let input = std::io::stdin().lock();
            try_rules::run(&task, &rules, &log, settings, input)
        }
        Task::Set {
            name,
            time_zone,
            interim_interval,
            assume_complete_after,
            imports_only,
        } => {
            let values = Change {
                time_zone: time_zone.map(|zone| zone.0),
                interim_seconds: interim_interval.map(|interval| interval.0),
                assume_complete_seconds: assume_complete_after.map(|after| after.0),
                imports_only,
            };
            set::set(pool, &name, &values).await
        }
        Task::SetNames { name, rules, .. } => set_names::set_names(pool, &name, rules).await,
        Task::SetNetworks { name, networks } => {
            add::set_networks(pool, &name, &networks, yes).await
        }
        Task::RotateRadiusSecret { name } => {
            confirm_cut_off(pool, &name, "RADIUS, until it has the new secret", yes).await?;
            secrets::rotate_radius_secret(pool, &name).await
        }
        Task::RequireMessageAuthenticator { name, state } => {
            authentication::require_message_authenticator(pool, &name, matches!(state, Switch::On))
                .await
        }
        Task::SetCertificate { name, none } => {
            let certificate = if none {
                None
            } else {
                Some(std::io::read_to_string(std::io::stdin().lock())?)
            };
            authentication::set_certificate(pool, &name, certificate.as_deref()).await
        }
        Task::List => list(pool).await,
        Task::ResetCompleteThrough { name } => reset_complete_through(pool, &name).await,
        Task::Replay { name } => {
            replay::run(pool, &name, settings.reporting.session_timeout()).await
        }
        Task::Rejected { name, reset: true } => rejected::reset(pool, name.as_deref(), yes).await,
        Task::Rejected { name, reset: false } => rejected::list(pool, name.as_deref()).await,
        Task::Disable { name } => {
            confirm_cut_off(pool, &name, "any protocol", yes).await?;
            disable(pool, &name).await
        }
        Task::RotateKey { name } => {
            confirm_cut_off(pool, &name, "HTTP, until it has the new key", yes).await?;
            secrets::rotate_key(pool, &name).await
        }
    }
}

/// Asks before a command that disconnects a source.
async fn confirm_cut_off(
    pool: &Pool,
    name: &str,
    protocols: &str,
    yes: bool,
) -> Result<(), CommandError> {
    let id = pool.ask(async |connection| sources::id_of(connection, name).await);
    id.await?.ok_or_else(|| unknown(name))?;
    let consequence =
        format!("Within 5 seconds the source {name} can no longer send events by {protocols}.");
    confirm(&consequence, yes)
}

async fn disable(pool: &Pool, name: &str) -> Result<Output, CommandError> {
    let now = Clock::System.now();
    let known = change(pool, "source.disable", name, async |connection| {
        sources::disable(connection, name, now).await
    });
    known.await?.then_some(()).ok_or_else(|| unknown(name))?;
    Ok(Output::one(
        json!({"name": name}),
        "The source is disabled within 5 seconds. Its recorded events are kept.",
    ))
}

async fn reset_complete_through(pool: &Pool, name: &str) -> Result<Output, CommandError> {
    let known = change(
        pool,
        "source.reset-complete-through",
        name,
        async |connection| sources::reset_complete_through(connection, name).await,
    );
    known.await?.then_some(()).ok_or_else(|| unknown(name))?;
    Ok(Output::one(
        json!({"name": name}),
        "complete_through is reset. The next event with a complete_through sets it again.",
    ))
}

async fn list(pool: &Pool) -> Result<Output, CommandError> {
    let mut sources = pool
        .ask(async |connection| sources::list(connection).await)
        .await?;
    let now = Clock::System.now();
    for source in &mut sources {
        source.complete_through = source.complete_through(now);
    }
    Ok(Output::many(
        &sources,
        &COLUMNS,
        "There is no source. Add one with scripts/rollcall source add NAME.",
    ))
}

/// Returns the error for a name without a source.
pub fn unknown(name: &str) -> String {
    format!("There is no source named {name}. List the sources with scripts/rollcall source list.")
}
